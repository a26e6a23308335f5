// What an application's own TypeScript writes. Checked against Uppy's types.
import Uppy from "@uppy/core";
import { DirectUpload, type DirectUploadBody } from "./direct-upload/uppy.js";

const uppy = new Uppy<Record<string, unknown>, DirectUploadBody>();
uppy.use(DirectUpload, { form: "#application", name: "document", limit: 2, mount: "/_upload" });
uppy.on("upload-success", (_file, { body }) => {
  const receipt: string | undefined = body?.receipt;
  console.log(receipt);
});
// @ts-expect-error there is no such option
uppy.use(DirectUpload, { limits: 2 });
