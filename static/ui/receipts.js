import { advise } from "./advice.js";

/**
 * Return the receipts that a field starts with: those of its attribute `data-receipts`.
 * @param {HTMLElement} host
 * @returns {string[]}
 */
export function initialReceipts(host) {
  try {
    const receipts = JSON.parse(host.dataset.receipts || "[]");
    if (Array.isArray(receipts)) return receipts.filter((each) => each && typeof each === "string");
  } catch {
    // told below
  }
  advise("data-receipts must be a JSON array of receipts.");
  return [];
}

/**
 * Read what a receipt tells about its upload. Only the server can verify it.
 * @param {string} receipt
 */
export async function readReceipt(receipt) {
  const [, isCompressed, payload] = /^(\.?)([\w-]+)\.[\w-]+$/.exec(receipt) ?? ["", "", ""];
  const binary = atob(payload.replaceAll("-", "+").replaceAll("_", "/"));
  const stream = new Blob([Uint8Array.from(binary, (character) => character.charCodeAt(0))]).stream();
  const json = isCompressed ? stream.pipeThrough(new DecompressionStream("deflate")) : stream;
  const [[id, name, , filename, type, size, etag]] = JSON.parse(await new Response(json).text());
  return { id, name, filename, type, size, etag };
}
