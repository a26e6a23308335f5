/** @import { Rules } from "./checks.js" */
/** @import { Upload, UploadContext } from "./file-upload.js" */
/** @import { UploadState } from "./row.js" */
/** @import { View } from "./view.js" */
import { check } from "./checks.js";
import { removeUpload } from "../engine/remove.js";
import { FileUpload } from "./file-upload.js";

/**
 * @typedef {object} FieldContext what the uploads need of their field
 * @property {HTMLElement} host
 * @property {View} view
 * @property {Upload} upload
 * @property {() => URL} mount
 * @property {() => void} onchange an upload has started or ended
 * @property {(upload: FileUpload) => void} ondone an upload has its receipt
 * @property {(upload: FileUpload) => void} onremove the user removed a file
 */

/** The files of one field, and their uploads. */
export class UploadList {
  /** @type {Set<FileUpload>} */
  #uploads = new Set();
  #field;

  /** @param {FieldContext} field */
  constructor(field) {
    this.#field = field;
  }

  get uploads() {
    return [...this.#uploads];
  }

  /** The files that were chosen in this page. */
  get files() {
    return this.uploads.filter(({ isInitial }) => !isInitial).map(({ file }) => file);
  }

  get isBusy() {
    return this.inState("busy").length > 0;
  }

  /** @param {UploadState} wanted */
  inState(wanted) {
    return this.uploads.filter(({ state }) => state === wanted);
  }

  /**
   * Add files. A file that the page's rules do not allow fails immediately.
   * @param {File[]} files
   * @param {Rules} rules
   */
  add(files, rules) {
    const added = files.map((file) => new FileUpload(file, this.#context));
    for (const each of added) this.#uploads.add(each);
    for (const each of added) {
      const failure = check(each.file, rules);
      if (failure) each.fail(failure);
    }
    return added;
  }

  /**
   * Add uploads of an earlier page.
   * @param {string[]} receipts
   */
  addReceipts(receipts) {
    for (const receipt of receipts) this.#uploads.add(FileUpload.fromReceipt(receipt, this.#context));
  }

  /** Start the uploads that are ready. */
  start() {
    for (const each of this.inState("ready")) each.start();
  }

  /** @param {FileUpload} removed */
  remove(removed) {
    this.#uploads.delete(removed);
    removed.remove();
  }

  /** @param {FileUpload[]} [uploads] */
  clear(uploads = this.uploads) {
    for (const each of uploads) this.#uploads.delete(each);
    for (const each of uploads) each.remove();
  }

  /** @type {UploadContext} */
  get #context() {
    const { host, view, upload, mount, onchange, ondone, onremove } = this.#field;
    const remove = (/** @type {FileUpload} */ removed) => {
      // Receipts that the page began with may be of saved files: those are for the form to change.
      if (removed.receipt && !removed.isInitial) {
        removeUpload(mount(), removed.receipt).catch(() => undefined); // the application deletes what stays pending
      }
      this.remove(removed);
      onremove(removed);
    };
    return { host, view, upload, onchange, ondone, remove };
  }
}
