// Images that are reduced before they are uploaded.

const TYPES = ["image/jpeg", "image/png", "image/webp"];
const QUALITY = 0.86;
/** Bytes at the beginning, in which an animated image says so. */
const HEAD = 65_536;

/**
 * Return an image whose longer side has at most this many pixels. Its orientation is in its pixels, and its colours are
 * those of sRGB. Any other file, an animation, and an image that is small enough stay as they are.
 * @param {File} file
 * @param {number} most
 */
export async function resize(file, most) {
  if (!TYPES.includes(file.type) || (await isAnimated(file))) return file;
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  try {
    const scale = most / Math.max(bitmap.width, bitmap.height);
    if (scale >= 1) return file;
    const blob = await draw(bitmap, scale, file.type);
    return blob && blob.type === file.type && blob.size < file.size ? rename(blob, file) : file;
  } finally {
    bitmap.close();
  }
}

/**
 * @param {ImageBitmap} bitmap
 * @param {number} scale
 * @param {string} type
 * @returns {Promise<Blob | null>}
 */
function draw(bitmap, scale, type) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  if (!context) throw new Error("There is no canvas.");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, type, QUALITY));
}

/** @param {File} file */
async function isAnimated(file) {
  if (file.type === "image/jpeg") return false;
  const head = new TextDecoder("latin1").decode(await file.slice(0, HEAD).arrayBuffer());
  return head.includes(file.type === "image/png" ? "acTL" : "ANIM");
}

/**
 * @param {Blob} blob
 * @param {File} file
 */
function rename(blob, { name, lastModified, type }) {
  return new File([blob], name, { lastModified, type });
}
