/** @import { Rules } from "./checks.js" */
/** @import { Owner, Upload } from "./file-upload.js" */
/** @import { UploadState } from "./row.js" */
/** @import { View } from "./view.js" */
import { check } from "./checks.js";
import { FileUpload } from "./file-upload.js";

/**
 * @typedef {object} Field what the files of a batch are chosen with
 * @property {HTMLElement} host
 * @property {View} view
 * @property {Upload} upload
 * @property {() => void} changed an upload has started or ended
 * @property {(upload: FileUpload) => void} finished one has its receipt
 * @property {(upload: FileUpload) => void} removed the visitor took one back
 */

/** The files of one field, and their uploads. */
export class Batch {
  /** @type {Set<FileUpload>} */
  #uploads = new Set();
  #field;

  /** @param {Field} field */
  constructor(field) {
    this.#field = field;
  }

  get uploads() {
    return [...this.#uploads];
  }

  get files() {
    return this.uploads.map(({ file }) => file);
  }

  get isBusy() {
    return this.in("busy").length > 0;
  }

  /** @param {UploadState} wanted */
  in(wanted) {
    return this.uploads.filter(({ state }) => state === wanted);
  }

  /**
   * Takes files in; what the page does not allow fails at once.
   * @param {File[]} files
   * @param {Rules} rules
   */
  add(files, rules) {
    const added = files.map((file) => new FileUpload(file, this.#owner));
    for (const each of added) this.#uploads.add(each);
    for (const each of added) {
      const failure = check(each.file, rules);
      if (failure) each.fail(failure);
    }
    return added;
  }

  /** Starts what waits for it. */
  start() {
    for (const each of this.in("ready")) each.start();
  }

  /** @param {FileUpload} gone */
  remove(gone) {
    this.#uploads.delete(gone);
    gone.remove();
  }

  clear() {
    const uploads = this.uploads;
    this.#uploads.clear();
    for (const each of uploads) each.remove();
  }

  /** @type {Owner} */
  get #owner() {
    const { host, view, upload, changed, finished, removed } = this.#field;
    const remove = (/** @type {FileUpload} */ gone) => {
      this.remove(gone);
      removed(gone);
    };
    return { host, view, upload, changed, finished, remove };
  }
}
