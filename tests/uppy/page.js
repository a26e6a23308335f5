// A page with Uppy, as an application's build bundles it. ?way=plugin uses our plugin, ?way=companion Uppy's own.
import AwsS3 from "@uppy/aws-s3";
import Uppy from "@uppy/core";
import "@uppy/core/css/style.css";
import Dashboard from "@uppy/dashboard";
import "@uppy/dashboard/css/style.css";
import Form from "@uppy/form";
import GoldenRetriever from "@uppy/golden-retriever";

const uppy = new Uppy();
uppy.use(Dashboard, { target: "#files", inline: true, height: 360, proudlyDisplayPoweredByUppy: false });
uppy.use(GoldenRetriever);
if (new URLSearchParams(location.search).get("way") === "plugin") {
  const { DirectUpload } = await import("/_upload/static/uppy.js");
  uppy.use(DirectUpload, { form: "form", name: "document" });
} else {
  uppy.use(AwsS3, { companionEndpoint: "/_upload", shouldUseMultipart: true });
  uppy.use(Form, { target: "form" });
}
window.uppy = uppy;
