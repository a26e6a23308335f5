// A plugin for Uppy that uploads with our engine: `uppy.use(DirectUpload)`. It does not import Uppy.
/** @import { ProgressReport, RetryReport, UploadResult, UploadTask } from "./types.d.ts" */
/** @import { Uppy, UppyFile, UppyPlugin, UppyPluginOptions } from "./types.d.ts" */
import { upload } from "./direct-upload.js";
import { DirectUploadFailure } from "./engine/failure.js";
import { explain, message } from "./messages.js";

/** The mount of the middleware that served this module; in a bundle, as in direct-upload.js. */
const DEFAULT_MOUNT = /^(http.*\/)static\/(?:[\da-f]{16}\/)?uppy\.js/.exec(import.meta.url)?.[1] ?? "/_upload";

/**
 * An Uppy uploader. The receipt of a file is in `file.response.body.receipt`, in `file.meta.receipt` and, with the option
 * `form`, in a hidden input of that form.
 * @implements {UppyPlugin}
 */
export class DirectUpload {
  type = "uploader";
  id;
  opts;
  uppy;
  /** @type {Map<string, UploadTask>} */
  #tasks = new Map();
  /** The receipts of finished uploads, which Uppy may forget, and their inputs. @type {Map<string, HTMLInputElement>} */
  #receipts = new Map();
  /** Whether all files are being removed after they were uploaded, which is how pages reset Uppy. */
  #isResetting = false;
  /** @type {[string, (...about: any[]) => void][]} */
  #listeners = [
    ["upload-pause", (file, isPaused) => this.#tasks.get(file.id)?.[isPaused ? "pause" : "resume"]()],
    ["pause-all", () => this.#tasks.forEach((task) => task.pause())],
    ["resume-all", () => this.#tasks.forEach((task) => task.resume())],
    ["cancel-all", () => this.#onCancelAll()],
    ["file-removed", (file) => this.#onRemoved(file)],
    ["state-update", (_, { files }) => this.#abortMissing(files)],
    ["upload-success", () => this.#updateForm()],
    ["restored", () => this.#updateForm()],
  ];

  /**
   * @param {Uppy} uppy
   * @param {UppyPluginOptions} [opts]
   */
  constructor(uppy, opts = {}) {
    this.uppy = uppy;
    this.opts = opts;
    this.id = opts.id ?? "DirectUpload";
  }

  install() {
    this.#setResumable(true);
    this.uppy.addUploader(this.#upload);
    for (const [event, listener] of this.#listeners) this.uppy.on(event, listener);
    this.#updateForm();
  }

  uninstall() {
    this.#setResumable(false);
    this.uppy.removeUploader(this.#upload);
    for (const [event, listener] of this.#listeners) this.uppy.off(event, listener);
    for (const id of this.#tasks.keys()) this.#abort(id);
  }

  /** @param {UppyPluginOptions} opts */
  setOptions(opts) {
    this.opts = { ...this.opts, ...opts };
  }

  /** Uppy calls this on every plugin; this one has no user interface. */
  update() {}

  /** @param {boolean} resumableUploads whether Uppy shows buttons to pause and resume */
  #setResumable(resumableUploads) {
    const { capabilities } = this.uppy.getState();
    this.uppy.setState({ capabilities: { ...capabilities, resumableUploads } });
  }

  /** @param {string[]} ids */
  #upload = async (ids) => {
    const files = this.uppy.getFilesByIds(ids).filter(({ error, progress }) => !error && !progress.uploadComplete);
    this.uppy.emit("upload-start", files.filter(({ isRestored, progress }) => !isRestored || !progress.uploadStarted));
    const waiting = files.values();
    const worker = async () => {
      for (const { id } of waiting) if (this.uppy.getFile(id)) await this.#uploadFile(this.uppy.getFile(id));
    };
    const limit = Math.min(this.opts.limit ?? Infinity, files.length);
    await Promise.all(Array.from({ length: Math.max(1, limit) }, worker));
  };

  /**
   * @param {UppyFile} file its data may be missing: Uppy restored it without them, or it is a remote file
   */
  async #uploadFile({ id, data, isPaused, meta }) {
    if (!(data instanceof Blob)) return this.#fail(id, new DirectUploadFailure("file-changed"));
    const { retries, stall, place } = this.opts;
    let isWaiting = false;
    const onprogress = (/** @type {ProgressReport} */ report) => {
      isWaiting = report.state === "waiting";
      if (this.#tasks.get(id) === task) this.#reportProgress(id, report);
    };
    const onretry = (/** @type {RetryReport} */ report) => {
      if (isWaiting && this.#tasks.get(id) === task) this.#reportStall(id, report);
      isWaiting = false;
    };
    const options = { filename: meta.name, mount: this.#mount, retries, stall, place, together: true };
    const task = upload(data, { ...options, onprogress, onretry });
    this.#tasks.set(id, task);
    if (isPaused) task.pause();
    await task.then(
      (result) => this.#forget(id, task) && this.#succeed(id, result),
      (failure) => this.#forget(id, task) && this.#fail(id, failure),
    );
  }

  /**
   * @param {string} id
   * @param {UploadTask} task
   * @returns {boolean} false when the file was removed, and perhaps added again, during the upload
   */
  #forget(id, task) {
    return this.#tasks.get(id) === task && this.#tasks.delete(id);
  }

  /**
   * @param {string} id
   * @param {UploadResult} body
   */
  #succeed(id, body) {
    const uploadURL = new URL(`${this.#mount}/files/${body.receipt}`, location.href).href;
    this.uppy.setFileMeta(id, { receipt: body.receipt });
    this.uppy.emit("upload-success", this.uppy.getFile(id), { status: 200, body, uploadURL });
  }

  /**
   * @param {string} id
   * @param {unknown} failure
   */
  #fail(id, failure) {
    const cause = failure instanceof DirectUploadFailure ? failure : new DirectUploadFailure("other", { detail: String(failure) });
    const error = Object.assign(new Error(explain(cause), { cause: failure }), { code: cause.code });
    this.uppy.emit("upload-error", this.uppy.getFile(id), error);
  }

  /**
   * @param {string} id
   * @param {ProgressReport} report
   */
  #reportProgress(id, { loaded, total }) {
    const file = this.uppy.getFile(id);
    const uploadStarted = file.progress.uploadStarted ?? Date.now();
    this.uppy.emit("upload-progress", file, { uploadStarted, bytesUploaded: loaded, bytesTotal: total });
  }

  /**
   * @param {string} id
   * @param {RetryReport} report
   */
  #reportStall(id, { failure: { status } }) {
    const error = new Error(message(status >= 500 ? "notResponding" : "waiting"));
    this.uppy.emit("upload-stalled", error, [this.uppy.getFile(id)]);
  }

  /** @param {string} id */
  #abort(id) {
    const task = this.#tasks.get(id);
    this.#tasks.delete(id);
    task?.abort();
  }

  /**
   * Abort the uploads of files that are gone: `uppy.clear()` and `setState()` fire no event about them.
   * @param {Record<string, UppyFile>} files
   */
  #abortMissing(files) {
    for (const id of this.#tasks.keys()) if (!(id in files)) this.#abort(id);
  }

  /** `uppy.cancelAll()` cancels an upload in progress, or clears a list of finished ones, whose receipts stay. */
  #onCancelAll() {
    this.#isResetting = this.uppy.getFiles().every(({ progress }) => progress.uploadComplete);
    queueMicrotask(() => { this.#isResetting = false; });
  }

  /**
   * Remove a finished upload too, if its receipt is still in the form.
   * @param {UppyFile} file that the user has removed
   */
  #onRemoved({ response }) {
    const receipt = /** @type {string} */ (response?.body?.receipt);
    const input = this.#receipts.get(receipt);
    if (this.#isResetting || !input) return;
    input.remove();
    this.#receipts.delete(receipt);
    void this.#removeUpload(receipt);
  }

  /** @param {string} receipt */
  async #removeUpload(receipt) {
    try {
      const { removeUpload } = await import("./engine/remove.js");
      await removeUpload(new URL(`${this.#mount}/`, location.href), receipt);
    } catch {
      // The application keeps it, and deletes what stays pending.
    }
  }

  /** Put the receipts of Uppy's files into the form. Those of files that Uppy forgot since then stay. */
  #updateForm() {
    const { form, name = "" } = this.opts;
    const target = typeof form === "string" ? document.querySelector(form) : form;
    for (const { response } of target ? this.uppy.getFiles() : []) {
      const value = response?.body?.receipt;
      if (typeof value !== "string" || this.#receipts.has(value)) continue;
      this.#receipts.set(value, Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    }
    target?.append(...this.#receipts.values());
  }

  get #mount() {
    return String(this.opts.mount ?? DEFAULT_MOUNT).replace(/\/+$/, "");
  }
}
