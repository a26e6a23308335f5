/** @import { UnfinishedList } from "./list/unfinished-list.js" */
import { findRecords } from "../resume/places.js";

/**
 * Load the list of unfinished uploads, if a place has any.
 * @param {UnfinishedList | undefined} shown
 * @param {URL} mount
 * @param {string} place
 * @param {{ choose: () => void, discarded: () => void }} actions
 */
export async function loadUnfinished(shown, mount, place, actions) {
  if (!shown && !(await findRecords(mount, place)).length) return undefined;
  const { UnfinishedList } = await import("./list/unfinished-list.js");
  const list = shown ?? new UnfinishedList(actions);
  await list.load(mount, place);
  return list;
}
