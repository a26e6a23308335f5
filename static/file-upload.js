/** @import { ProgressReport, UploadResult, UploadTask } from "./types.d.ts" */
/** @import { Row, View } from "./view.js" */
import { DirectUploadFailure } from "./failure.js";
import { explain } from "./messages.js";

/** @typedef {typeof import("./direct-upload.js").upload} Upload */

let lastId = 0;

/**
 * What one file's upload asks of its field.
 * @typedef {object} Actions
 * @property {Upload} upload
 * @property {() => void} changed
 * @property {(upload: FileUpload) => void} remove
 */

/** One file of a field. */
export class FileUpload {
  /** @type {"busy" | "done" | "failed"} */
  state = "busy";
  reason = "";
  #id = ++lastId;
  #input;
  #actions;
  #receipt;
  /** @type {Row} */
  #row;
  /** @type {UploadTask | undefined} */
  #task;

  /**
   * @param {File} file
   * @param {HTMLInputElement} input
   * @param {View} view
   * @param {Actions} actions
   */
  constructor(file, input, view, actions) {
    this.file = file;
    this.#input = input;
    this.#actions = actions;
    this.#receipt = hiddenInput(input);
    this.#row = view.add(file, { remove: () => actions.remove(this), retry: () => this.start() });
  }

  get receipt() {
    return this.#receipt.value;
  }

  start() {
    this.state = "busy";
    this.#row.start();
    this.#actions.changed();
    this.#tell("start");
    const task = (this.#task = this.#actions.upload(this.file, {
      onprogress: (report) => this.#isCurrent(task) && this.#progress(report),
      onretry: (report) => this.#isCurrent(task) && this.#tell("retry", report),
    }));
    task.then(
      (result) => this.#isCurrent(task) && this.#done(result),
      (failure) => this.#isCurrent(task) && this.#fail(failure),
    );
  }

  /** Gives up what is under way and takes away what was made. */
  remove() {
    const task = this.#task;
    this.#task = undefined;
    if (this.state === "busy") {
      task?.abort();
      this.#tell("error", { error: new DirectUploadFailure("aborted") });
    }
    this.#row.element.remove();
  }

  /** @param {UploadTask} task */
  #isCurrent(task) {
    return task === this.#task;
  }

  /** @param {ProgressReport} report */
  #progress(report) {
    this.#row.report(report);
    this.#tell("progress", report);
  }

  /** @param {UploadResult} result */
  #done(result) {
    this.state = "done";
    this.#receipt.value = result.receipt;
    this.#row.element.append(this.#receipt);
    this.#row.done();
    this.#tell("end", result);
    this.#actions.changed();
  }

  /** @param {DirectUploadFailure} failure */
  #fail(failure) {
    this.state = "failed";
    this.reason = explain(failure);
    const shown = this.#tell("error", { error: failure });
    this.#row.fail(shown ? this.reason : "");
    this.#actions.changed();
  }

  /**
   * @param {string} event
   * @param {object} [detail]
   * @returns {boolean} false when the page prevented the default
   */
  #tell(event, detail = {}) {
    const about = { bubbles: true, cancelable: event === "error", detail: { id: this.#id, file: this.file, ...detail } };
    return this.#input.dispatchEvent(new CustomEvent(`direct-upload:${event}`, about));
  }
}

/** @param {HTMLInputElement} input */
function hiddenInput(input) {
  const hidden = Object.assign(document.createElement("input"), { type: "hidden", name: input.name });
  const form = input.getAttribute("form");
  if (form !== null) hidden.setAttribute("form", form);
  return hidden;
}
