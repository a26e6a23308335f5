// Uppy in front of our engine: `uppy.use(DirectUpload)`. Nothing of Uppy is imported: this is a plugin by what it does.
/** @import { ProgressReport, UploadResult, UploadTask } from "./types.d.ts" */
/** @import { Uppy, UppyFile, UppyPlugin, UppyPluginOptions } from "./types.d.ts" */
import { upload } from "./direct-upload.js";
import { DirectUploadFailure } from "./engine/failure.js";
import { explain, say } from "./messages.js";

/** How many files go up at once. */
const LIMIT = 3;
/** Where the middleware is mounted, when it serves this module. */
const ABOVE = import.meta.url.replace(/static\/(?:[^/]+\/)?[^/]+$/, "");

/**
 * Uploads the files of an Uppy. Each has its receipt then as `file.response.body.receipt`, in `file.meta.receipt` and, if
 * that is wanted, in a hidden input of a form.
 * @implements {UppyPlugin}
 */
export class DirectUpload {
  type = "uploader";
  id;
  opts;
  uppy;
  /** @type {Map<string, UploadTask>} */
  #tasks = new Map();
  /** @type {HTMLInputElement[]} */
  #inputs = [];
  /** @type {[string, (...about: any[]) => void][]} */
  #listeners = [
    ["upload-pause", (file, isPaused) => this.#tasks.get(file.id)?.[isPaused ? "pause" : "resume"]()],
    ["pause-all", () => this.#tasks.forEach((task) => task.pause())],
    ["resume-all", () => this.#tasks.forEach((task) => task.resume())],
    ["file-removed", (file) => this.#remove(file)],
    ["upload-success", () => this.#fill()],
    ["restored", () => this.#fill()],
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
    this.#tellResumable(true);
    this.uppy.addUploader(this.#upload);
    for (const [event, listener] of this.#listeners) this.uppy.on(event, listener);
    this.#fill();
  }

  uninstall() {
    this.#tellResumable(false);
    this.uppy.removeUploader(this.#upload);
    for (const [event, listener] of this.#listeners) this.uppy.off(event, listener);
    for (const id of this.#tasks.keys()) this.#remove({ id });
  }

  /** @param {UppyPluginOptions} opts */
  setOptions(opts) {
    this.opts = { ...this.opts, ...opts };
  }

  /** Uppy asks every plugin to show its state; this one shows nothing. */
  update() {}

  /** @param {boolean} resumableUploads whether Uppy shows buttons to pause and to go on */
  #tellResumable(resumableUploads) {
    const { capabilities } = this.uppy.getState();
    this.uppy.setState({ capabilities: { ...capabilities, resumableUploads } });
  }

  /** @param {string[]} ids */
  #upload = async (ids) => {
    const files = this.uppy.getFilesByIds(ids).filter(({ error, progress }) => !error && !progress.uploadComplete);
    this.uppy.emit("upload-start", files.filter(({ isRestored, progress }) => !isRestored || !progress.uploadStarted));
    const waiting = files.values();
    const worker = async () => {
      for (const { id } of waiting) if (this.uppy.getFile(id)) await this.#carryOut(this.uppy.getFile(id));
    };
    const limit = Math.min(this.opts.limit ?? LIMIT, files.length);
    await Promise.all(Array.from({ length: Math.max(1, limit) }, worker));
  };

  /**
   * @param {UppyFile} file whose data Uppy may lack: it was restored without them, or is in somebody's cloud
   */
  async #carryOut({ id, data, isPaused, meta }) {
    if (!(data instanceof Blob)) return this.#fail(id, new DirectUploadFailure("file-changed"));
    const { retries, stall, place } = this.opts;
    const onprogress = (/** @type {ProgressReport} */ report) => this.#tasks.get(id) === task && this.#tell(id, report);
    const task = upload(data, { filename: meta.name, mount: this.#mount, onprogress, retries, stall, place });
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
   * @returns {boolean} false when the file was removed, and perhaps added again, meanwhile
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
    if (!(failure instanceof DirectUploadFailure)) throw failure;
    const error = Object.assign(new Error(explain(failure), { cause: failure }), { code: failure.code });
    this.uppy.emit("upload-error", this.uppy.getFile(id), error);
  }

  /**
   * @param {string} id
   * @param {ProgressReport} report
   */
  #tell(id, { loaded, total, state }) {
    const file = this.uppy.getFile(id);
    const uploadStarted = file.progress.uploadStarted ?? Date.now();
    this.uppy.emit("upload-progress", file, { uploadStarted, bytesUploaded: loaded, bytesTotal: total });
    if (state === "waiting") this.uppy.emit("upload-stalled", new Error(say(state)), [file]);
  }

  /** @param {Pick<UppyFile, "id">} file */
  #remove({ id }) {
    const task = this.#tasks.get(id);
    this.#tasks.delete(id);
    task?.abort();
    this.#fill();
  }

  /** The form has the receipts of the files that are there and uploaded, as if an input had sent them. */
  #fill() {
    const { form, name = "" } = this.opts;
    for (const input of this.#inputs.splice(0)) input.remove();
    const target = typeof form === "string" ? document.querySelector(form) : form;
    for (const { response } of target ? this.uppy.getFiles() : []) {
      const value = response?.body?.receipt;
      if (typeof value !== "string") continue;
      this.#inputs.push(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    }
    target?.append(...this.#inputs);
  }

  get #mount() {
    return String(this.opts.mount ?? ABOVE).replace(/\/+$/, "");
  }
}
