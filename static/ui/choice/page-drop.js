// A field that takes what is dropped anywhere in its page.

/** @typedef {(event: DragEvent) => void} Listener */

/**
 * @param {AbortSignal} signal
 * @param {{ over: Listener, leave: () => void, drop: Listener }} zone
 */
export function dropOnPage(signal, { over, leave, drop }) {
  const isFree = (/** @type {DragEvent} */ event) => !event.defaultPrevented && !isOnInput(event);
  for (const type of /** @type {const} */ (["dragenter", "dragover"])) {
    document.addEventListener(type, (event) => isFree(event) && over(event), { signal });
  }
  document.addEventListener("dragleave", (event) => event.relatedTarget || leave(), { signal });
  document.addEventListener("drop", (event) => isFree(event) && drop(event), { signal });
}

/** @param {DragEvent} event */
function isOnInput(event) {
  return event.composedPath().some((target) => target instanceof HTMLInputElement);
}
