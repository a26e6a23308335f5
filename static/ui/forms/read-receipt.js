/** @import { FileUpload } from "../file-upload.js" */
/** @import { UploadResult } from "../../types.d.ts" */

/**
 * Read what a receipt tells about its upload. Only the server can verify it.
 * @param {string} receipt
 */
async function readReceipt(receipt) {
  const [, isCompressed, payload] = /^(\.?)([\w-]+)\.[\w-]+$/.exec(receipt) ?? ["", "", ""];
  const binary = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
  const stream = new Blob([Uint8Array.from(binary, (character) => character.charCodeAt(0))]).stream();
  const json = isCompressed ? stream.pipeThrough(new DecompressionStream("deflate")) : stream;
  const [[id, name, , filename, type, size, etag]] = JSON.parse(await new Response(json).text());
  return { id, name, filename, type, size, etag };
}

/**
 * Show what a receipt tells of an upload of an earlier page.
 * @param {FileUpload} upload
 * @param {URL} mount
 */
export async function describe(upload, mount) {
  const { receipt, row } = upload;
  const info = await readReceipt(receipt);
  const { filename: name, size, type } = info;
  const result = /** @type {UploadResult} */ ({ receipt, upload: info });
  Object.assign(upload, { result, file: new File([], name, { type }), loaded: size });
  row.restore({ name, size, type, source: new URL(`files/${receipt}`, mount) });
}
