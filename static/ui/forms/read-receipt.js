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
