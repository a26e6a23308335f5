/** @import { DirectUploadFailure } from "../../engine/failure.js" */
/** @import { Rules } from "../choice/checks.js" */
/** @import { Field } from "../field.js" */
/** @import { UploadState } from "./row.js" */
import { check } from "../choice/checks.js";
import { FileUpload } from "../file-upload.js";
import { message } from "../../messages.js";

/** A file with its place in the folder that the user chose. @typedef {{ file: File, path?: string }} Chosen */

/** Uploads that the engine has at once; the others wait. It sends them in batches, so that it gets many at a time. */
const MOST_STARTED = 200;
const FEWEST_STARTED = 100;

/** The files of one field, and their uploads. */
export class UploadList {
  /** @type {Set<FileUpload>} */
  #uploads = new Set();
  #isHeld = false;

  /** @param {Field} field */
  constructor(field) {
    this.field = field;
  }

  get size() {
    return this.#uploads.size;
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
   * @param {Chosen[]} chosen up to the field's limits
   * @param {Rules} rules
   */
  add(chosen, rules) {
    const added = chosen.map(({ file, path }) => new FileUpload(file, this, path));
    for (const each of added) this.#uploads.add(each);
    this.field.view.update(this);
    for (const each of added) {
      const failure = check(each.file, rules);
      if (failure instanceof Promise) void this.#awaitCheck(each, failure);
      else if (failure) each.fail(failure);
    }
    return added;
  }

  /**
   * Hold an upload until it is known whether its file is allowed.
   * @param {FileUpload} upload
   * @param {Promise<DirectUploadFailure | undefined>} checking
   */
  async #awaitCheck(upload, checking) {
    upload.isChecking = true;
    const failure = await checking;
    upload.isChecking = false;
    if (!this.#uploads.has(upload)) return;
    if (failure) upload.fail(failure);
    else this.changed();
  }

  /**
   * Return the files that the field has room for, and tell of the others.
   * @param {Chosen[]} chosen
   * @param {Rules} rules
   */
  async limit(chosen, rules) {
    const { limit } = await import("../choice/limits.js");
    const { allowed, notice } = limit(chosen, this.uploads, rules);
    if (notice) this.field.view.notify("limit", notice);
    return allowed;
  }

  /**
   * Return whether the number of files says already that the field has room for more.
   * @param {Chosen[]} chosen
   * @param {Rules} rules
   */
  hasRoom(chosen, { maxFiles, maxTotalSize }) {
    return this.size + chosen.length <= maxFiles && maxTotalSize === Infinity;
  }

  /**
   * Add uploads of an earlier page.
   * @param {string[]} receipts
   * @param {boolean} [isSent] whether they come from the application
   */
  addReceipts(receipts, isSent = true) {
    const known = new Set(this.uploads.map(({ receipt }) => receipt));
    for (const receipt of receipts) if (!known.has(receipt)) this.#uploads.add(FileUpload.fromReceipt(receipt, this, isSent));
    this.field.view.update(this);
  }

  /**
   * Start uploads; some of them later, when there are many.
   * @param {FileUpload[]} [uploads] default: those that are ready
   */
  start(uploads = this.inState("ready")) {
    if (!uploads.length) return;
    for (const each of uploads) each.enqueue();
    if (this.field.view.isMany) this.field.view.announce(message("startedAll", { count: uploads.length }));
    this.changed();
  }

  /** Say until `release` that the form waits. */
  hold() {
    this.#isHeld = true;
    this.#showHold();
  }

  release() {
    this.#isHeld = false;
    this.#showHold();
  }

  /** Note that the form was submitted with these receipts. */
  markSent() {
    for (const each of this.inState("done")) each.isSent = true;
  }

  /** @param {FileUpload} removed */
  remove(removed) {
    this.#uploads.delete(removed);
    return removed.remove();
  }

  /** @param {FileUpload[]} [uploads] */
  clear(uploads = this.uploads) {
    for (const each of uploads) this.#uploads.delete(each);
    for (const each of uploads) each.remove();
    this.field.view.update(this);
  }

  /** Put the uploads into another order. @param {FileUpload[]} uploads */
  reorder(uploads) {
    this.#uploads = new Set(uploads);
    this.changed();
  }

  /** An upload has started, paused, ended or moved. */
  changed() {
    this.field.update(); // before the next uploads start, since it may tell the form
    this.#startNext();
    this.field.view.update(this);
    this.#showHold();
  }

  #startNext() {
    const busy = this.inState("busy");
    const started = busy.filter(({ isQueued, isPaused }) => !isQueued && !isPaused).length;
    if (started > FEWEST_STARTED) return;
    const queued = busy.filter(({ isQueued, isPaused, isChecking }) => isQueued && !isPaused && !isChecking);
    for (const each of queued.slice(0, MOST_STARTED - started)) each.start();
  }

  #showHold() {
    const busy = this.#isHeld ? this.inState("busy") : [];
    const key = busy.some(({ isPaused }) => isPaused) ? "heldPaused" : "held";
    this.field.view.notify("held", busy.length ? message(key) : "");
  }

  /** The user removed a file. @param {FileUpload} removed */
  discard(removed) {
    if (removed.receipt && !removed.isSent) {
      import("../../engine/remove.js").then(({ removeUpload }) => removeUpload(this.field.mount, removed.receipt))
        .catch(() => undefined); // the application deletes what stays pending
    }
    const next = this.remove(removed);
    if (next) next.focus(true);
    else this.field.focus();
    this.field.view.announce(message("removed", { name: removed.file.name }));
    this.field.view.update(this);
    this.field.cancel();
  }
}
