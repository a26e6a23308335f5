/** @import { ProgressReport, UploadOptions, UploadResult, UploadTask } from "../types.d.ts" */
/** @import { Row, UploadState, Verbs } from "./row.js" */
import { DirectUploadFailure } from "../engine/failure.js";
import { explain, isFinal, say } from "../messages.js";

/** @typedef {typeof import("../direct-upload.js").upload} Upload */

let lastId = 0;

/**
 * What one file's upload asks of those it belongs to.
 * @typedef {object} Owner
 * @property {HTMLElement} host where its events are dispatched
 * @property {{ add: (file: File, verbs: Verbs) => Row }} view
 * @property {(file: File, options: UploadOptions) => UploadTask} upload
 * @property {() => void} changed an upload has started or ended
 * @property {(upload: FileUpload) => void} finished one has its receipt
 * @property {(upload: FileUpload) => void} remove
 */

/** One file of a field. */
export class FileUpload {
  /** @type {UploadState} */
  state = "ready";
  /** Why it failed, in words for its visitor. */
  reason = "";
  /** @type {UploadResult | undefined} */
  result;
  #id = ++lastId;
  #owner;
  /** @type {UploadTask | undefined} */
  #task;

  /**
   * @param {File} file
   * @param {Owner} owner
   */
  constructor(file, owner) {
    this.file = file;
    this.#owner = owner;
    this.row = owner.view.add(file, {
      pause: () => this.pause(),
      resume: () => this.resume(),
      retry: () => this.start(),
      remove: () => owner.remove(this),
    });
  }

  get receipt() {
    return this.result?.receipt ?? "";
  }

  start() {
    this.state = "busy";
    this.row.start();
    this.#owner.changed();
    this.#tell("start");
    const task = (this.#task = this.#owner.upload(this.file, {
      onprogress: (report) => this.#isCurrent(task) && this.#progress(report),
      onretry: (report) => this.#isCurrent(task) && this.#tell("retry", report),
    }));
    task.then(
      (result) => this.#isCurrent(task) && this.#done(result),
      (failure) => this.#isCurrent(task) && this.fail(failure),
    );
  }

  pause() {
    this.#task?.pause();
  }

  resume() {
    this.#task?.resume();
  }

  /** Gives up what is under way and takes away what was made. */
  remove() {
    const task = this.#task;
    this.#task = undefined;
    if (this.state === "busy") {
      task?.abort();
      this.#tell("error", { error: new DirectUploadFailure("aborted") });
    }
    this.row.element.remove();
  }

  /** @param {DirectUploadFailure} failure */
  fail(failure) {
    this.state = "failed";
    this.reason = explain(failure);
    const shown = this.#tell("error", { error: failure });
    this.row.fail(shown ? this.reason : "", { failure, isFinal: isFinal(failure) });
    this.#owner.changed();
  }

  /** What is wrong with the field as long as this has failed. */
  get complaint() {
    return say("failed", { name: this.file.name, reason: this.reason });
  }

  /** @param {UploadTask} task */
  #isCurrent(task) {
    return task === this.#task && this.state === "busy";
  }

  /** @param {ProgressReport} report */
  #progress(report) {
    this.row.report(report);
    this.#tell("progress", report);
  }

  /** @param {UploadResult} result */
  #done(result) {
    this.state = "done";
    this.result = result;
    this.row.done();
    this.#owner.finished(this);
    this.#tell("end", result);
    this.#owner.changed();
  }

  /**
   * @param {string} event
   * @param {object} [detail]
   * @returns {boolean} false when the page prevented the default
   */
  #tell(event, detail = {}) {
    const about = { bubbles: true, cancelable: event === "error", detail: { id: this.#id, file: this.file, ...detail } };
    return this.#owner.host.dispatchEvent(new CustomEvent(`direct-upload:${event}`, about));
  }
}
