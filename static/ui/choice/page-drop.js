// A field that takes what is dropped anywhere in its page.
/** @import { DropZone } from "./drop-zone.js" */

/**
 * @param {AbortSignal} signal
 * @param {DropZone} zone
 */
export function dropOnPage(signal, zone) {
  const isFree = (/** @type {DragEvent} */ event) => !event.defaultPrevented && !isOnInput(event);
  for (const type of /** @type {const} */ (["dragenter", "dragover"])) {
    document.addEventListener(type, (event) => isFree(event) && zone.over(event), { signal });
  }
  document.addEventListener("dragleave", (event) => event.relatedTarget || zone.leave(), { signal });
  document.addEventListener("drop", (event) => isFree(event) && zone.drop(event), { signal });
}

/** @param {DragEvent} event */
function isOnInput(event) {
  return event.composedPath().some((target) => target instanceof HTMLInputElement);
}
