// What an application's own script does with the npm package. Each bundler bundles it; the tests call `send`.
import { upload } from "direct-upload-middleware";
import { formatSize } from "direct-upload-middleware/messages";
import { DirectUpload } from "direct-upload-middleware/uppy";

/** Answers of hash workers, and what was logged. */
const seen = { hashes: 0, logged: [] };
window.Worker = class extends Worker {
  constructor(...options) {
    super(...options);
    this.addEventListener("message", () => (seen.hashes += 1));
  }
};
for (const level of ["warn", "error"]) console[level] = (...texts) => seen.logged.push(texts.join(" "));

window.send = async (text, options) => {
  const file = new File([text], "bundled.txt", { type: "text/plain" });
  const { receipt } = await upload(file, options);
  return { receipt, size: formatSize(file.size, "en"), plugin: new DirectUpload({}).id, ...seen };
};
