/** @import { FileInput } from "../file-input.js" */

/**
 * Put receipts into a form's data, at the place of the files that were uploaded. A file whose upload failed is not
 * sent; a file that was not uploaded is sent itself.
 * @param {FormData} formData
 * @param {FileInput[]} fields
 */
export function replaceFiles(formData, fields) {
  const entries = [...formData];
  const pending = fields.map((field) => ({ field, uploads: field.uploads, isSent: false }));
  for (const [name] of entries) formData.delete(name); // all of them, since their order matters

  const sendReceipts = (/** @type {typeof pending[0]} */ { field, uploads }) => {
    for (const { isInitial, receipt } of uploads) if (isInitial) formData.append(field.name, receipt);
  };
  for (const [name, value] of entries) {
    const input = value instanceof File && pending.find((each) => each.field.name === name && isEntryOf(value, each));
    if (!input) {
      formData.append(name, value);
      continue;
    }
    if (!input.isSent) sendReceipts(input);
    if (!input.isSent && input.uploads.every(({ state }) => state === "failed")) formData.append(name, nothing());
    input.isSent = true;
    const upload = take(input.uploads, value);
    if (upload?.state === "done") formData.append(name, upload.receipt);
    else if (upload && upload.state !== "failed") formData.append(name, value);
  }
  for (const each of pending) {
    if (!each.isSent) sendReceipts(each);
  }
}

/**
 * Add the path of each receipt's file in the folder that the user chose, under the name that the page wants.
 * @param {FormData} formData
 * @param {{ pathName: string, uploads: { state: string, path: string }[] }} field
 */
export function appendPaths(formData, { pathName, uploads }) {
  if (!pathName) return;
  for (const { state, path } of uploads) if (state === "done") formData.append(pathName, path);
}

/** What browsers send for an input without files. */
function nothing() {
  return new File([], "", { type: "application/octet-stream" });
}

/**
 * @param {File} value
 * @param {{ uploads: FileInput["uploads"], isSent: boolean }} input
 */
function isEntryOf(value, { uploads, isSent }) {
  const hasFiles = uploads.some(({ isInitial }) => !isInitial);
  return find(uploads, value) || (!isSent && !hasFiles && uploads.length && !value.name && !value.size);
}

/**
 * Remove the upload of a file from a list. Browsers may give the same file as another object.
 * @param {FileInput["uploads"]} uploads
 * @param {File} file
 */
function take(uploads, file) {
  const found = find(uploads, file);
  if (found) uploads.splice(uploads.indexOf(found), 1);
  return found;
}

/**
 * @param {FileInput["uploads"]} uploads
 * @param {File} file
 */
function find(uploads, file) {
  return uploads.find((each) => each.file === file) ?? uploads.find((each) => !each.isInitial && isSame(each.file, file));
}

/**
 * @param {File} one
 * @param {File} other
 */
export function isSame(one, other) {
  return one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;
}
