/** @import { ProgressReport, RetryReport, UploadOptions, UploadResult, UploadTask } from "../types.d.ts" */
/** @import { Row, RowActions, UploadState } from "./row.js" */
import { DirectUploadFailure } from "../engine/failure.js";
import { explain, isFinal, message } from "../messages.js";
import { readReceipt } from "./receipts.js";

/** @typedef {typeof import("../direct-upload.js").upload} Upload */

let lastId = 0;

/**
 * What the upload of a file needs of its field.
 * @typedef {object} UploadContext
 * @property {HTMLElement} host the element that dispatches the events
 * @property {{ add: (file: { name: string, size: number }, actions: RowActions) => Row }} view
 * @property {(file: File, options: UploadOptions & { together: boolean }) => UploadTask} upload
 * @property {() => void} onchange an upload has started or ended
 * @property {(upload: FileUpload) => void} ondone an upload has its receipt
 * @property {(upload: FileUpload) => void} remove
 */

/** A file of a field, and its upload. */
export class FileUpload {
  /** @type {UploadState} */
  state = "ready";
  /** Whether the page began with this upload's receipt. Its `file` has a name but no content. */
  isInitial = false;
  /** Why the upload failed, for users. */
  reason = "";
  /** @type {UploadResult | undefined} */
  result;
  #id = ++lastId;
  #context;
  /** @type {UploadTask | undefined} */
  #task;

  /**
   * @param {File} file
   * @param {UploadContext} context
   */
  constructor(file, context) {
    this.file = file;
    this.#context = context;
    this.row = context.view.add(file, {
      pause: () => this.pause(),
      resume: () => this.resume(),
      retry: () => this.start(),
      remove: () => context.remove(this),
    });
  }

  /**
   * Create a finished upload of an earlier page from its receipt.
   * @param {string} receipt
   * @param {UploadContext} context
   */
  static fromReceipt(receipt, context) {
    const upload = new FileUpload(new File([], message("uploadedFile")), context);
    upload.isInitial = true;
    upload.state = "done";
    upload.result = /** @type {UploadResult} */ ({ receipt });
    upload.row.restore(upload.file);
    void upload.#describe(receipt);
    return upload;
  }

  /** @param {string} receipt */
  async #describe(receipt) {
    const upload = await readReceipt(receipt).catch(() => undefined); // the server decides whether it is valid
    if (!upload) return;
    this.result = /** @type {UploadResult} */ ({ receipt, upload });
    this.file = new File([], upload.filename, { type: upload.type });
    this.row.restore({ name: upload.filename, size: upload.size });
  }

  get receipt() {
    return this.result?.receipt ?? "";
  }

  start() {
    this.state = "busy";
    this.row.start();
    this.#context.onchange();
    this.#dispatch("start");
    const task = (this.#task = this.#context.upload(this.file, {
      together: true,
      onprogress: (report) => this.#isCurrent(task) && this.#onProgress(report),
      onretry: (report) => this.#isCurrent(task) && this.#onRetry(report),
    }));
    task.then(
      (result) => this.#isCurrent(task) && this.#onDone(result),
      (failure) => this.#isCurrent(task) && this.fail(failure),
    );
  }

  pause() {
    this.#task?.pause();
  }

  resume() {
    this.#task?.resume();
  }

  /** Abort the upload and remove its row. */
  remove() {
    const task = this.#task;
    this.#task = undefined;
    if (this.state === "busy") {
      task?.abort();
      this.#dispatch("error", { error: new DirectUploadFailure("aborted") });
    }
    this.row.element.remove();
  }

  /** @param {unknown} error */
  fail(error) {
    const failure = asFailure(error);
    this.state = "failed";
    this.reason = explain(failure);
    const isShown = this.#dispatch("error", { error: failure });
    this.row.fail(isShown ? this.reason : "", { failure, isFinal: isFinal(failure) });
    this.#context.onchange();
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
    this.row.report(report);
    this.#dispatch("progress", report);
  }

  /** @param {RetryReport} report */
  #onRetry(report) {
    this.row.retry(report);
    this.#dispatch("retry", report);
  }

  /** @param {UploadResult} result */
  #onDone(result) {
    this.state = "done";
    this.result = result;
    this.row.done();
    this.#context.ondone(this);
    this.#dispatch("end", result);
    this.#context.onchange();
  }

  /**
   * @param {string} event
   * @param {object} [detail]
   * @returns {boolean} false when the page prevented the default
   */
  #dispatch(event, detail = {}) {
    const init = { bubbles: true, cancelable: event === "error", detail: { id: this.#id, file: this.file, ...detail } };
    return this.#context.host.dispatchEvent(new CustomEvent(`direct-upload:${event}`, init));
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
