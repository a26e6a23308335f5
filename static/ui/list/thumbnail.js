// Small pictures of images and videos.

/** Pixels: twice the size on the page, for high-density screens. */
const SIDE = 96;
/** Bytes. Larger images get no picture: decoding them costs too much. Videos are read in part only. */
const MAX_SIZE = 50e6;
/** Bytes of an image in storage that is downloaded for its picture. */
const MAX_DOWNLOAD = 5e6;
const TIMEOUT = 5_000;

/** @typedef {{ name: string, size?: number, type?: string, source?: URL }} Pictured a file, or one in storage */

/** Pictures are decoded one at a time, to limit memory. */
let drawing = Promise.resolve();

/**
 * Draw a picture of a file into its frame.
 * @param {File | Pictured} file
 * @param {HTMLElement} frame
 */
export function draw(file, frame) {
  drawing = drawing.then(() => (frame.isConnected ? drawNow(file, frame) : undefined)).catch(() => undefined); // the extension stays
}

/**
 * @param {File | Pictured} file
 * @param {HTMLElement} frame
 */
async function drawNow(file, frame) {
  const { type = "", size = 0 } = file;
  if (type.startsWith("video/")) return file instanceof File ? drawVideo(file, frame) : undefined;
  if (file instanceof File) return size < MAX_SIZE ? drawBitmap(await createImageBitmap(file), frame) : undefined;
  if (file.source && size < MAX_DOWNLOAD) drawBitmap(await createImageBitmap(await download(file.source)), frame);
}

/** @param {URL} source */
async function download(source) {
  const response = await fetch(`${source}?inline`, { credentials: "same-origin", signal: AbortSignal.timeout(TIMEOUT) });
  if (!response.ok) throw new Error("There is no picture.");
  return response.blob();
}

/**
 * @param {ImageBitmap} bitmap
 * @param {HTMLElement} frame
 */
function drawBitmap(bitmap, frame) {
  show(bitmap, bitmap.width, bitmap.height, frame);
  bitmap.close();
}

/**
 * Draw one of the first seconds. A Content-Security-Policy may refuse the video; then the extension stays.
 * @param {File} file
 * @param {HTMLElement} frame
 */
async function drawVideo(file, frame) {
  const video = Object.assign(document.createElement("video"), { muted: true, preload: "auto", playsInline: true });
  const url = URL.createObjectURL(file);
  const signal = AbortSignal.timeout(TIMEOUT);
  try {
    video.src = url;
    await eventOf(video, "loadeddata", signal);
    video.currentTime = Math.min(1, video.duration / 2 || 0);
    await eventOf(video, "seeked", signal);
    show(video, video.videoWidth, video.videoHeight, frame);
  } finally {
    video.removeAttribute("src");
    video.load();
    URL.revokeObjectURL(url);
  }
}

/**
 * @param {HTMLVideoElement} video
 * @param {string} type
 * @param {AbortSignal} signal
 */
function eventOf(video, type, signal) {
  return new Promise((resolve, reject) => {
    video.addEventListener("error", reject, { signal, once: true });
    video.addEventListener(type, resolve, { signal, once: true });
    signal.addEventListener("abort", reject, { once: true });
  });
}

/**
 * Draw on a canvas, which works where a policy blocks images from `blob:`.
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @param {HTMLElement} frame
 */
function show(source, width, height, frame) {
  if (!width || !height) return;
  const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
  const scale = SIDE / Math.min(width, height);
  canvas.getContext("2d")?.drawImage(source, (SIDE - width * scale) / 2, (SIDE - height * scale) / 2, width * scale, height * scale);
  frame.replaceChildren(canvas);
}
