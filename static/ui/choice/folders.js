// Folders that are dropped, with all that is in them.
/** @import { Chosen } from "../list/upload-list.js" */

/** Files that systems put into folders for themselves. */
const SYSTEM = /^(\.DS_Store|Thumbs\.db|desktop\.ini)$/i;

/**
 * Return the files of entries in the order of their names, each with its path in the folder that was dropped.
 * @param {FileSystemEntry[]} entries
 * @returns {Promise<Chosen[]>}
 */
export async function readEntries(entries) {
  const found = [];
  for (const entry of entries) found.push(...(entry.isDirectory ? await readFolder(entry) : await readFile(entry)));
  return found;
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<Chosen[]>}
 */
async function readFolder(entry) {
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([]))); // at most 100 at a time
    if (!some.length) break;
    entries.push(...some);
  }
  return readEntries(entries.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true })));
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<Chosen[]>}
 */
async function readFile(entry) {
  if (SYSTEM.test(entry.name)) return [];
  const path = entry.fullPath.replace(/^\//, "");
  /** @type {File | undefined} */
  const file = await new Promise((resolve) =>
    /** @type {FileSystemFileEntry} */ (entry).file(resolve, () => resolve(undefined))); // it has gone
  return file ? [{ file, path: path.includes("/") ? path : "" }] : [];
}
