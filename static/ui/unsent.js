// Receipts of uploads that are complete, but whose form was not submitted yet. This tab keeps them over a reload.
/** @import { FileUpload } from "./file-upload.js" */
import { browser } from "../engine/browser.js";

/** @typedef {{ owner: string, mount: string, time: number, receipts: string[] }} Unsent */

const PREFIX = "direct-upload:";

/** Places that this document has read or written. A field that is added later is a copy. @type {Set<string>} */
const seen = new Set();

/**
 * Return the place of a field in the site.
 * @param {string} name
 */
export function placeOf(name) {
  return `${location.pathname} ${name}`;
}

/**
 * @param {string} place
 * @param {URL} mount
 * @param {FileUpload[]} uploads
 */
export function saveUnsent(place, mount, uploads) {
  const receipts = uploads.filter(({ state, isSent }) => state === "done" && !isSent).map(({ receipt }) => receipt);
  if (!receipts.length && !seen.has(place)) return;
  seen.add(place);
  const owner = browser.owners.get(mount.href);
  try {
    if (!receipts.length || !owner) sessionStorage.removeItem(PREFIX + place);
    else sessionStorage.setItem(PREFIX + place, JSON.stringify({ owner, mount: mount.href, time: Date.now(), receipts }));
  } catch {
    // the browser stores nothing for this page
  }
}

/** Return whether there may be receipts of a place. @param {string} place */
export function hasUnsent(place) {
  return !seen.has(place) && !!read(place);
}

/** Return what an earlier visit saved, to the first field that asks. @param {string} place */
export function takeUnsent(place) {
  const saved = hasUnsent(place) ? read(place) : undefined;
  seen.add(place);
  return saved;
}

/**
 * @param {string} place
 * @returns {Unsent | undefined}
 */
function read(place) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + place) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}
