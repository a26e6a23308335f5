// Rows are moved with Alt and the arrow keys, or by dragging their pictures.
/** @import { FileUpload } from "../file-upload.js" */
/** @import { UploadList } from "./upload-list.js" */
/** @import { View } from "../view.js" */
import { addMessages, message } from "../../messages.js";
import { REORDER_STYLES } from "./reorder-styles.js";
import { activeIn } from "./row.js";
import { adoptStyles } from "./row-styles.js";

addMessages({
  moved: "{name}, position {position} of {count}",
});

/**
 * Let the user move rows.
 * @param {View} view
 * @param {UploadList} uploads
 */
export function enable(view, uploads) {
  view.rows.addEventListener("keydown", (event) => {
    if (!event.altKey || !/^Arrow(Up|Down)$/.test(event.key)) return;
    event.preventDefault();
    moveByKey(event.key, view, uploads);
  });
  view.rows.addEventListener("pointerdown", (event) => {
    const handle = event.target instanceof Element && event.target.closest(".direct-upload-preview");
    if (!handle || event.button) return;
    event.preventDefault();
    drag(handle, event.pointerId, view, uploads);
  });
  view.rows.classList.add("direct-upload-movable");
  adoptStyles(/** @type {Document | ShadowRoot} */ (view.rows.getRootNode()), REORDER_STYLES);
}

/**
 * Move the row of the focused button.
 * @param {string} key
 * @param {View} view
 * @param {UploadList} uploads
 */
function moveByKey(key, view, uploads) {
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
function drag(handle, pointerId, view, uploads) {
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
  const rows = [...view.rows.children];
  const places = new Map(rows.map((row, index) => [row, index]));
  const placeOf = (/** @type {FileUpload} */ { row }) => places.get(row.element) ?? 0;
  uploads.reorder(uploads.uploads.sort((one, other) => placeOf(one) - placeOf(other)));
  const name = row.querySelector("bdi")?.textContent ?? "";
  view.announce(message("moved", { name, position: rows.indexOf(row) + 1, count: rows.length }));
}
