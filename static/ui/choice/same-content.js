/** Bytes that are compared at the beginning, in the middle and at the end of files. */
const SAMPLE = 64 * 1024;

/**
 * Compare samples of two files that have the same size.
 * @param {File} one
 * @param {File} other
 */
export async function haveSameContent(one, other) {
  try {
    for (const start of [0, Math.floor(one.size / 2), Math.max(0, one.size - SAMPLE)]) {
      const [a, b] = await Promise.all([one, other].map(async (file) => new Uint8Array(await file.slice(start, start + SAMPLE).arrayBuffer())));
      if (a.some((byte, index) => byte !== b[index])) return false;
    }
    return true;
  } catch {
    return false; // a file that cannot be read fails when it is uploaded, with a message
  }
}
