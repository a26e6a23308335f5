/** @import { ProgressReport, RetryReport, UploadResult, UploadTask } from "../types.d.ts" */
/** @import { UploadList } from "./list/upload-list.js" */
/** @import { RowActions, UploadState } from "./list/row.js" */
import { DirectUploadFailure } from "../engine/failure.js";
import { explain, isFinal, message } from "../messages.js";

/** @typedef {typeof import("../direct-upload.js").upload} Upload */

let lastId = 0;

/** A file of a field, and its upload. */
export class FileUpload {
  /** @type {UploadState} */
  state = "ready";
  /** Whether the page began with this upload's receipt. Its `file` has a name but no content. */
  isInitial = false;
  /** Whether the application knows the receipt: it comes from there, or its form was submitted. */
  isSent = false;
  /** Whether the upload waits for its turn. */
  isQueued = false;
  isPaused = false;
  /** Whether it is not known yet if the page's rules allow the file. */
  isChecking = false;
  /** Whether another attempt cannot succeed. */
  isFinal = false;
  /** The bytes that are uploaded. */
  loaded = 0;
  /** Why the upload failed, for users. */
  reason = "";
  /** @type {UploadResult | undefined} */
  result;
  #id = ++lastId;
  #list;
  /** @type {UploadTask | undefined} */
  #task;
  #attempt = 0;

  /**
   * @param {File} file
   * @param {UploadList} list
   * @param {string} [path] its place in the folder that the user chose
   */
  constructor(file, list, path = file.webkitRelativePath) {
    this.file = file;
    this.path = path;
    this.#list = list;
    /** @type {RowActions} */
    const actions = {
      pause: () => this.pause(),
      resume: () => this.resume(),
      retry: () => list.start([this]),
      remove: () => list.discard(this),
    };
    this.row = list.field.view.add(file, actions, path);
  }

  /**
   * Create a finished upload of an earlier page from its receipt.
   * @param {string} receipt
   * @param {UploadList} list
   * @param {boolean} isSent
   */
  static fromReceipt(receipt, list, isSent) {
    const upload = new FileUpload(new File([], message("uploadedFile")), list);
    upload.isInitial = true;
    upload.isSent = isSent;
    upload.state = "done";
    upload.result = /** @type {UploadResult} */ ({ receipt });
    upload.row.restore(upload.file);
    import("./forms/read-receipt.js").then(({ describe }) => describe(upload, list.field.mount)).catch(() => undefined); // the server decides whether it is valid
    return upload;
  }

  get receipt() {
    return this.result?.receipt ?? "";
  }

  /** The bytes of the file. */
  get size() {
    return this.result?.upload?.size ?? this.file.size;
  }

  /** Wait for the turn of this upload. */
  enqueue() {
    this.state = "busy";
    this.isQueued = true;
    this.isPaused = false;
    this.loaded = 0;
    this.row.start(this.isChecking);
  }

  start() {
    this.isQueued = false;
    this.#dispatch("start");
    const attempt = (this.#attempt += 1);
    const { imageMax } = this.#list.field.rules;
    if (imageMax === Infinity) return this.#send(this.file);
    void prepare(this.file, imageMax).then((file) => attempt === this.#attempt && this.state === "busy" && this.#send(file));
  }

  /** @param {File} file */
  #send(file) {
    const task = (this.#task = this.#list.field.upload(file, {
      together: true,
      onprogress: (report) => this.#isCurrent(task) && this.#onProgress(report),
      onretry: (report) => this.#isCurrent(task) && this.#onRetry(report),
    }));
    if (this.isPaused) task.pause();
    task.then(
      (result) => this.#isCurrent(task) && this.#onDone(result),
      (failure) => this.#isCurrent(task) && this.fail(failure),
    );
  }

  pause() {
    this.#setPaused(true);
    this.#task?.pause();
  }

  resume() {
    this.#setPaused(false);
    this.#task?.resume();
  }

  /** @param {boolean} isPaused */
  #setPaused(isPaused) {
    if (this.state !== "busy" || this.isPaused === isPaused) return;
    this.isPaused = isPaused;
    this.row.report({ loaded: this.loaded, total: this.size, state: isPaused ? "paused" : "starting" });
    this.#list.changed();
  }

  /** Abort the upload, and return the row that takes the place of its row. */
  remove() {
    const task = this.#task;
    this.#task = undefined;
    if (this.state === "busy") {
      this.state = "failed";
      task?.abort();
      this.#dispatch("error", { error: new DirectUploadFailure("aborted") });
    }
    return this.#list.field.view.remove(this.row);
  }

  /** @param {unknown} error */
  fail(error) {
    const failure = asFailure(error);
    this.#task = undefined;
    this.state = "failed";
    this.isQueued = false;
    this.reason = explain(failure);
    this.isFinal = isFinal(failure);
    const isShown = this.#dispatch("error", { error: failure });
    this.row.fail(isShown ? this.reason : "", { failure, isFinal: this.isFinal });
    this.#list.changed();
  }

  /** The field's validation message while this upload has failed. */
  get validationMessage() {
    return message("failed", { name: this.file.name, reason: this.reason });
  }

  /** @param {UploadTask} task */
  #isCurrent(task) {
    return task === this.#task && this.state === "busy";
  }

  /** @param {ProgressReport} report */
  #onProgress(report) {
    this.loaded = report.loaded;
    if (!this.isPaused || report.state === "paused") this.row.report(report);
    this.#dispatch("progress", report);
  }

  /** @param {RetryReport} report */
  #onRetry(report) {
    this.row.retry(report);
    this.#dispatch("retry", report);
  }

  /** @param {UploadResult} result */
  #onDone(result) {
    this.#task = undefined;
    this.state = "done";
    this.result = result;
    this.loaded = this.size;
    this.row.done();
    this.#list.field.onDone();
    this.#dispatch("end", result);
    this.#list.changed();
  }

  /**
   * @param {string} event
   * @param {object} [detail]
   * @returns {boolean} false when the page prevented the default
   */
  #dispatch(event, detail = {}) {
    const about = { id: this.#id, file: this.file, path: this.path, ...detail };
    const init = { bubbles: true, cancelable: event === "error", detail: about };
    return this.#list.field.host.dispatchEvent(new CustomEvent(`direct-upload:${event}`, init));
  }
}

/**
 * Return a failure for anything that was thrown: no upload may end without a message.
 * @param {unknown} error
 */
export function asFailure(error) {
  if (error instanceof DirectUploadFailure) return error;
  console.error(error);
  return new DirectUploadFailure("other", { detail: String(error) });
}

/**
 * Make an image smaller before it is uploaded. One that the browser cannot read stays as it is.
 * @param {File} file
 * @param {number} most pixels of its longer side
 */
function prepare(file, most) {
  return import("./choice/image-size.js").then(({ resize }) => resize(file, most)).catch(() => file);
}
