/** @import { DropZone } from "./choice/drop-zone.js" */
/** @import { Field } from "./field.js" */
/** @import { UnfinishedList } from "./list/unfinished-list.js" */
import { findRecords } from "../resume/places.js";

/**
 * Show the unfinished uploads of a field below its drop zone, if it has any.
 * @param {UnfinishedList | undefined} shown
 * @param {Field} field
 * @param {DropZone} zone
 */
export async function showUnfinished(shown, field, zone) {
  const { mount, place } = field;
  if (!shown && !(await findRecords(mount, place)).length) return undefined;
  const { UnfinishedList } = await import("./list/unfinished-list.js");
  const list = shown ?? new UnfinishedList({ choose: () => zone.pick(), discarded: () => zone.button.focus() });
  await list.load(mount, place);
  list.removeChosen(field.list.files); // while the list was loaded
  list.show(zone.element);
  return list;
}
