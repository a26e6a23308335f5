import { icon, ICONS, part } from "../dom.js";

/** Types that a browser may draw. */
const DRAWABLE = /^(image|video)\//;

/**
 * Create a preview: a small picture of an image or a video, or the extension of any other file.
 * @param {File | { name: string, type?: string, source?: URL }} file
 */
export function preview(file) {
  const { name, type = "" } = file;
  const extension = /\.(\w{1,4})$/.exec(name)?.[1];
  const frame = part("span", "preview", { ariaHidden: "true" }, extension?.toUpperCase() ?? icon(ICONS.file));
  if (DRAWABLE.test(type)) import("./thumbnail.js").then(({ draw }) => draw(file, frame)).catch(() => undefined); // the extension stays
  return frame;
}
