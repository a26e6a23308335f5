// Rows are moved with Alt and the arrow keys, or by dragging their pictures.
/** @import { UploadList } from "./upload-list.js" */
/** @import { View } from "../view.js" */
import { addMessages, message } from "../../messages.js";
import { activeIn } from "./row.js";

addMessages({
  moved: "{name}, position {position} of {count}",
});

/**
 * Move the row of the focused button.
 * @param {string} key
 * @param {View} view
 * @param {UploadList} uploads
 */
export function moveByKey(key, view, uploads) {
  const focused = /** @type {HTMLElement | null} */ (activeIn(view.rows));
  const row = focused?.closest("li");
  if (!focused || !row || !view.rows.contains(row)) return;
  if (key === "ArrowUp") row.previousElementSibling?.before(row);
  else row.nextElementSibling?.after(row);
  focused.focus(); // an element that moves loses the focus
  row.scrollIntoView({ block: "nearest" });
  finish(row, view, uploads);
}

/**
 * Drag a row until the pointer is released.
 * @param {Element} handle
 * @param {number} pointerId
 * @param {View} view
 * @param {UploadList} uploads
 */
export function drag(handle, pointerId, view, uploads) {
  const row = handle.closest("li");
  if (!row || view.rows.children.length < 2) return;
  const before = [...view.rows.children].indexOf(row);
  const ending = new AbortController();
  const { signal } = ending;
  row.toggleAttribute("data-moving", true);
  const end = () => {
    ending.abort();
    row.removeAttribute("data-moving");
    if ([...view.rows.children].indexOf(row) !== before) finish(row, view, uploads);
  };
  const move = (/** @type {PointerEvent} */ { clientY, buttons }) => (buttons ? moveTo(row, clientY) : end());
  const isOurs = (/** @type {(event: PointerEvent) => void} */ listener) => (/** @type {PointerEvent} */ event) => event.pointerId === pointerId && listener(event);
  addEventListener("pointermove", isOurs(move), { signal });
  for (const type of /** @type {const} */ (["pointerup", "pointercancel"])) addEventListener(type, isOurs(end), { signal });
}

/**
 * @param {Element} row
 * @param {number} y
 */
function moveTo(row, y) {
  const middle = (/** @type {Element} */ each) => {
    const { top, height } = each.getBoundingClientRect();
    return top + height / 2;
  };
  const { previousElementSibling: previous, nextElementSibling: next } = row;
  if (previous && y < middle(previous)) previous.before(row);
  else if (next && y > middle(next)) next.after(row);
  row.scrollIntoView({ block: "nearest" });
}

/**
 * @param {Element} row
 * @param {View} view
 * @param {UploadList} uploads
 */
function finish(row, view, uploads) {
  uploads.sort();
  const rows = [...view.rows.children];
  const name = row.querySelector("bdi")?.textContent ?? "";
  view.announce(message("moved", { name, position: rows.indexOf(row) + 1, count: rows.length }));
}
