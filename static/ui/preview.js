import { icon, ICONS, part } from "./dom.js";

/** Pixels; twice what is shown, for dense screens. */
const SIDE = 96;
/** Bytes beyond which decoding an image costs the page more than its picture is worth. */
const LARGEST = 50e6;

/** Images are decoded one after the other, so that a hundred photographs do not need the memory of a hundred. */
let drawing = Promise.resolve();

/**
 * A small picture of an image, for anything else its extension.
 * @param {File} file
 */
export function preview(file) {
  const extension = /\.(\w{1,4})$/.exec(file.name)?.[1];
  const frame = part("span", "preview", { ariaHidden: "true" }, extension?.toUpperCase() ?? icon(ICONS.file));
  if (file.type.startsWith("image/") && file.size < LARGEST) {
    drawing = drawing.then(() => draw(file, frame)).catch(() => undefined); // one that cannot be decoded has none
  }
  return frame;
}

/**
 * On a canvas, since a policy may forbid images from `blob:`.
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
