// What an application's own TypeScript does with the npm package, compiled with every strict check.
import { DirectUploadFailure, upload, uploadAll } from "direct-upload-middleware";
import type { DirectUploadElement, ProgressReport, UploadResult } from "direct-upload-middleware";
import { explain, formatSize } from "direct-upload-middleware/messages";
import { DirectUpload, type UppyPluginOptions } from "direct-upload-middleware/uppy";

export async function send(file: File): Promise<string> {
  const task = upload(file, { mount: "/_upload", onprogress: ({ loaded }) => console.log(formatSize(loaded)) });
  try {
    for await (const report of task) console.log((report satisfies ProgressReport).timeLeft?.toFixed());
    const { receipt }: UploadResult = await task;
    return receipt;
  } catch (error) {
    if (error instanceof DirectUploadFailure) return `${explain(error)} ${error.problem?.indexes?.length ?? error.status}`;
    throw error;
  }
}

export const receipts = uploadAll([new Blob()], { concurrency: 2 }).then((all) => all.map(({ receipt }) => receipt));
export const options: UppyPluginOptions = new DirectUpload({}, { name: "document" }).opts;

const element: DirectUploadElement = document.createElement("direct-upload");
element.maxSize = 20_000_000;
element.addEventListener("direct-upload:start", ({ detail }) => console.log(detail.id.toFixed(), detail.file.name));
element.addEventListener("direct-upload:progress", ({ detail }) => console.log(detail.loaded / detail.total));
document.addEventListener("direct-upload:retry", ({ detail }) => console.log(detail.failure.code, detail.delay));
document.forms[0]?.addEventListener("direct-upload:error", (event) => {
  if (event.detail.error.code === "aborted") event.preventDefault();
});
window.addEventListener("direct-upload:end", ({ detail }) => console.log(detail.receipt, detail.upload.size));
document.forms[0]?.addEventListener("direct-uploads:end", ({ target }) => console.log(target));

// @ts-expect-error there is no such option
void upload(new Blob(), { retry: 3 });
// @ts-expect-error the end has no error
element.addEventListener("direct-upload:end", ({ detail }) => console.log(detail.error));
