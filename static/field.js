/** @import { Actions, Upload } from "./file-upload.js" */
import { FileUpload } from "./file-upload.js";
import { say } from "./messages.js";
import { View } from "./view.js";

/**
 * @typedef {object} Listener
 * @property {(input: HTMLInputElement) => void} changed an upload has started or ended
 * @property {(input: HTMLInputElement) => void} cancelled the visitor took back what was chosen
 */

/** A file input, and the uploads of the files that were chosen with it. */
export class Field {
  #input;
  #upload;
  #listener;
  /** @type {View | undefined} */
  #view;
  /** @type {Set<FileUpload>} */
  #uploads = new Set();
  #isInvalid = false;

  /**
   * @param {HTMLInputElement} input
   * @param {Upload} upload
   * @param {Listener} listener
   */
  constructor(input, upload, listener) {
    this.#input = input;
    this.#upload = upload;
    this.#listener = listener;
  }

  get isBusy() {
    return this.#in("busy").length > 0;
  }

  get hasFailed() {
    return this.#in("failed").length > 0;
  }

  get finished() {
    return this.#in("done");
  }

  /** Uploads what is chosen now, instead of what was before. */
  choose() {
    this.#giveUp();
    const files = [...(this.#input.files ?? [])];
    if (!files.length) return this.clear();
    const view = (this.#view ??= new View(this.#input));
    view.place();
    for (const file of files) this.#uploads.add(new FileUpload(file, this.#input, view, this.#actions));
    for (const upload of this.#uploads) upload.start();
  }

  /** Nothing is chosen any more. */
  clear() {
    this.#giveUp();
    this.#listener.cancelled(this.#input);
    this.#settle();
  }

  /** A form was submitted, and waits. */
  announceHold() {
    this.#view?.announce(say("held"), true);
  }

  /** @type {Actions} */
  #actions = {
    upload: (file, options) => this.#upload(file, options),
    changed: () => this.#settle(),
    remove: (upload) => this.#remove(upload),
  };

  /** @param {FileUpload} upload */
  #remove(upload) {
    this.#uploads.delete(upload);
    upload.remove();
    this.#input.files = listOf([...this.#uploads].map(({ file }) => file));
    this.#input.focus();
    this.#listener.cancelled(this.#input);
    this.#settle();
  }

  #giveUp() {
    const uploads = [...this.#uploads];
    this.#uploads.clear();
    for (const upload of uploads) upload.remove();
  }

  /** A failed upload makes the field invalid, as HTML has it: the form cannot be submitted with half of its data. */
  #settle() {
    const [failed] = this.#in("failed");
    if (failed || this.#isInvalid) this.#input.setCustomValidity(failed?.reason ?? "");
    this.#isInvalid = !!failed;
    this.#listener.changed(this.#input);
  }

  /** @param {FileUpload["state"]} wanted */
  #in(wanted) {
    return [...this.#uploads].filter(({ state }) => state === wanted);
  }
}

/** @param {File[]} files */
function listOf(files) {
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(file);
  return transfer.files;
}
