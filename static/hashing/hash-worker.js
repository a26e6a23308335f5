import { readMd5 } from "./read-md5.js";

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ etag: await readMd5(data) });
  } catch (error) {
    self.postMessage({ code: /** @type {{ code?: string }} */ (error).code ?? "file-changed" });
  }
};
