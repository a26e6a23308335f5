/** @import { Upload } from "./file-upload.js" */
/** @import { FieldListener, UploadField } from "./form.js" */
import { advise } from "./advice.js";
import { parseSize } from "./checks.js";
import { initialReceipts } from "./receipts.js";
import { adoptStyles } from "./row-styles.js";
import { message } from "../messages.js";
import { UploadList } from "./upload-list.js";
import { View } from "./view.js";

/** Marks an input that has files or receipts; its value is whether the page requires one. Copies of the input have it too. */
const MARK = "data-direct-upload-field";

/**
 * A file input with `data-direct-upload`, and the uploads of its files.
 * @implements {UploadField}
 */
export class FileInput {
  #input;
  #listener;
  #view = new View();
  #uploads;
  #isInvalid = false;
  /** The files that the input had when it was last looked at. @type {File[]} */
  #chosen = [];

  /**
   * @param {HTMLInputElement} input
   * @param {Upload} upload
   * @param {FieldListener} listener
   * @param {URL} mount the page's
   */
  constructor(input, upload, listener, mount) {
    this.#input = input;
    this.#listener = listener;
    this.#uploads = new UploadList({
      host: input,
      view: this.#view,
      upload: (file, options) => upload(file, { mount: input.dataset.directUploadMount, ...options }),
      mount: () => new URL((input.dataset.directUploadMount ?? mount.href).replace(/\/*$/, "/"), mount),
      onchange: () => this.#update(),
      ondone: () => undefined,
      onremove: () => this.#onRemove(),
    });
    this.#addInitialReceipts();
  }

  get form() {
    return this.#input.form;
  }

  get name() {
    return this.#input.name;
  }

  get isConnected() {
    return this.#input.isConnected;
  }

  get isBusy() {
    return this.#uploads.isBusy;
  }

  get isReady() {
    return this.#uploads.inState("ready").length > 0;
  }

  get hasFailed() {
    return this.#uploads.inState("failed").length > 0;
  }

  get uploads() {
    return this.#uploads.uploads;
  }

  /** Whether a script has changed the files without an event. */
  get hasOtherFiles() {
    const files = this.#input.files ?? [];
    return files.length !== this.#chosen.length || this.#chosen.some((file, index) => file !== files[index]);
  }

  /** Replace the uploads by those of the files that are chosen now. */
  choose() {
    const files = (this.#chosen = [...(this.#input.files ?? [])]);
    this.#uploads.clear(this.uploads.filter(({ isInitial }) => !isInitial || (files.length && !this.#input.multiple)));
    if (!files.length) return this.#onCancel();
    if (this.#input.form && !this.#input.name) advise("an upload field has no name, so that its form submits no receipt.");
    this.#uploads.add(files, { accept: this.#input.accept, maxSize: parseSize(this.#input.dataset.maxSize) });
    this.show();
    if (this.#input.dataset.directUpload === "submit") this.#update();
    else this.begin();
  }

  /** Put the rows below the input. */
  show() {
    if (!this.uploads.length || !this.isConnected) return;
    adoptStyles(/** @type {Document | ShadowRoot} */ (this.#input.getRootNode()));
    (this.#input.closest("label") ?? this.#input).after(this.#view.rows, this.#view.liveRegion);
  }

  get rows() {
    return this.#view.rows;
  }

  begin() {
    this.#uploads.start();
  }

  /** Go back to the receipts that the page began with. */
  reset() {
    this.#chosen = [];
    this.#uploads.clear();
    this.#addInitialReceipts();
    this.#onCancel();
  }

  /** Announce that the form waits for this field. */
  announceHold() {
    this.#view.announce(message("held"), true);
  }

  #addInitialReceipts() {
    this.#uploads.addReceipts(initialReceipts(this.#input));
    this.show();
    this.#updateRequired();
  }

  #onRemove() {
    this.#input.files = createFileList(this.#uploads.files);
    this.#chosen = [...(this.#input.files ?? [])];
    this.#input.focus();
    this.#onCancel();
  }

  #onCancel() {
    this.#listener.oncancel(this);
    this.#update();
  }

  /** A failed upload makes the field invalid, so that the form cannot be submitted without the file. */
  #update() {
    const [failed] = this.#uploads.inState("failed");
    if (failed || this.#isInvalid) this.#input.setCustomValidity(failed?.validationMessage ?? "");
    this.#isInvalid = !!failed;
    this.#updateRequired();
    this.#listener.onchange(this);
  }

  /** An input without files is never valid while it is required, so that receipts have to suspend that. */
  #updateRequired() {
    const input = this.#input;
    const isRequired = input.required || input.getAttribute(MARK) === "required";
    input.required = isRequired && !this.uploads.some(({ isInitial }) => isInitial);
    if (this.uploads.length) input.setAttribute(MARK, isRequired ? "required" : "");
    else input.removeAttribute(MARK);
  }

  /**
   * Empty an input that is a copy of one with uploads, as libraries cache and clone pages.
   * @param {HTMLInputElement} input
   */
  static cleanCopy(input) {
    if (!input.hasAttribute(MARK)) return;
    input.required ||= input.getAttribute(MARK) === "required";
    input.removeAttribute(MARK);
    input.value = "";
  }
}

/** @param {File[]} files */
function createFileList(files) {
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(file);
  return transfer.files;
}
