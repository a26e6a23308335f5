import { icon, ICONS, part } from "./dom.js";

/** Pixels: twice the size on the page, for high-density screens. */
const SIDE = 96;
/** Bytes. Larger images get no preview: decoding them costs too much. */
const MAX_SIZE = 50e6;

/** Images are decoded one at a time, to limit memory. */
let drawing = Promise.resolve();

/**
 * Create a preview: a small picture of an image, or the extension of any other file.
 * @param {File} file
 */
export function preview(file) {
  const extension = /\.(\w{1,4})$/.exec(file.name)?.[1];
  const frame = part("span", "preview", { ariaHidden: "true" }, extension?.toUpperCase() ?? icon(ICONS.file));
  if (file.type.startsWith("image/") && file.size < MAX_SIZE) {
    drawing = drawing.then(() => draw(file, frame)).catch(() => undefined); // an image that cannot be decoded keeps its extension
  }
  return frame;
}

/**
 * Draw on a canvas, which works where a policy blocks images from `blob:`.
 * @param {File} file
 * @param {HTMLElement} frame
 */
async function draw(file, frame) {
  const bitmap = await createImageBitmap(file);
  const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  const scale = SIDE / Math.min(bitmap.width, bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  canvas.getContext("2d")?.drawImage(bitmap, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
  bitmap.close();
  frame.replaceChildren(canvas);
}
