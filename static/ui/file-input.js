/** @import { Upload } from "./file-upload.js" */
/** @import { FieldListener, UploadField } from "./form.js" */
/** @import { Chosen } from "./list/upload-list.js" */
import { advise } from "./advice.js";
import { readRules } from "./choice/checks.js";
import { isSame } from "./forms/form-data.js";
import { initialReceipts } from "./forms/receipts.js";
import { adoptStyles } from "./list/row-styles.js";
import { message } from "../messages.js";
import { hasUnsent, loadUnsent, placeOf, saveUnsent } from "./unsent.js";
import { UploadList } from "./list/upload-list.js";
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
  #pageMount;
  #view = new View();
  /** @type {UploadList} */
  #uploads;
  #isInvalid = false;
  /** The files that the input had when it was last looked at. @type {File[]} */
  #chosen = [];

  /**
   * @param {HTMLInputElement} input
   * @param {Upload} upload
   * @param {FieldListener} listener
   * @param {URL} mount
   */
  constructor(input, upload, listener, mount) {
    this.#input = input;
    this.#listener = listener;
    this.#pageMount = mount;
    this.#uploads = new UploadList({
      host: input,
      view: this.#view,
      mount: () => this.#mount,
      upload: (file, options) => upload(file, { mount: input.dataset.directUploadMount, ...options }),
      onchange: () => this.#onChange(),
      ondone: () => undefined,
      onremove: () => this.#onRemove(),
      focus: () => input.focus(),
    });
    if (input.multiple) this.#view.enableReorder(this.#uploads);
    this.#addInitialReceipts();
    void this.#restore();
  }

  get #mount() {
    return new URL((this.#input.dataset.directUploadMount ?? this.#pageMount.href).replace(/\/*$/, "/"), this.#pageMount);
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

  /** The name of the form's entries that tell each file's path in its folder; "" without such entries. */
  get pathName() {
    return this.#input.dataset.pathName ?? "";
  }

  /** Whether a script has changed the files without an event. */
  get hasOtherFiles() {
    const files = this.#input.files ?? [];
    return files.length !== this.#chosen.length || this.#chosen.some((file, index) => file !== files[index]);
  }

  /**
   * Take the files that are chosen now: they replace the uploads, or are added to them.
   * @param {boolean} [isAdding] whether the user has chosen more files for an input with `multiple`
   */
  choose(isAdding = false) {
    const files = [...(this.#input.files ?? [])];
    this.#view.dismissNotices();
    if (isAdding && this.#input.multiple) return void this.#add(files.filter((file) => this.#isNew(file)));
    this.#uploads.clear(this.uploads.filter(({ isInitial }) => !isInitial || (files.length && !this.#input.multiple)));
    if (files.length) return void this.#add(files);
    this.#chosen = [];
    this.#onCancel();
  }

  /** @param {File[]} files */
  async #add(files) {
    if (this.#input.form && !this.#input.name) advise("an upload field has no name, so that its form submits no receipt.");
    /** @type {Chosen[]} */
    let chosen = files.map((file) => ({ file }));
    const rules = readRules(this.#input, "data-");
    if (!this.#uploads.hasRoom(chosen, rules)) chosen = await this.#uploads.limit(chosen, rules);
    this.#uploads.add(chosen, rules);
    this.#setFiles();
    this.show();
    if (this.#input.dataset.directUpload !== "submit") this.begin();
    this.#update();
  }

  /**
   * Return whether a file is not among the uploads yet. A failed upload of the same file is replaced.
   * @param {File} file
   */
  #isNew(file) {
    const same = this.uploads.find((each) => !each.isInitial && isSame(each.file, file));
    if (same?.state === "failed") this.#uploads.remove(same);
    else if (same && !this.#chosen.includes(file)) this.#view.notify("duplicate", message("duplicate", { name: file.name }));
    return !same || same.state === "failed";
  }

  /** Put the rows below the input. */
  show() {
    if (!this.uploads.length || !this.isConnected) return;
    adoptStyles(/** @type {Document | ShadowRoot} */ (this.#input.getRootNode()));
    (this.#input.closest("label") ?? this.#input).after(...this.#view.elements);
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
    this.#view.dismissNotices();
    this.#uploads.clear();
    this.#addInitialReceipts();
    this.#onCancel();
  }

  hold() {
    this.#uploads.hold();
  }

  release() {
    this.#uploads.release();
  }

  markSent() {
    this.#uploads.markSent();
    this.#save();
  }

  #addInitialReceipts() {
    this.#uploads.addReceipts(initialReceipts(this.#input));
    this.show();
    this.#updateRequired();
  }

  /** Show what was uploaded before the page was loaded again. */
  async #restore() {
    const receipts = await loadUnsent(placeOf(this.name), this.#mount);
    if (!receipts.length || (this.uploads.length && !this.#input.multiple)) return;
    this.#uploads.addReceipts(receipts, false);
    this.show();
    this.#update();
  }

  #save() {
    saveUnsent(placeOf(this.name), this.#mount, this.uploads);
  }

  #onRemove() {
    this.#setFiles();
    this.#onCancel();
  }

  /** Give the input the files that have an upload, in the order of the uploads. */
  #setFiles() {
    const { files } = this.#uploads;
    const present = [...(this.#input.files ?? [])];
    if (files.length !== present.length || files.some((file, index) => file !== present[index])) this.#input.files = createFileList(files);
    this.#chosen = [...(this.#input.files ?? [])];
  }

  #onCancel() {
    this.#listener.oncancel(this);
    this.#update();
  }

  #onChange() {
    const { files } = this.#uploads;
    if (files.some((file, index) => file.name !== this.#chosen[index]?.name)) this.#setFiles(); // reordered
    this.#update();
  }

  /** A failed upload makes the field invalid, so that the form cannot be submitted without the file. */
  #update() {
    const error = this.#uploads.inState("failed")[0]?.validationMessage ?? this.#tooFew();
    if (error || this.#isInvalid) this.#input.setCustomValidity(error);
    this.#isInvalid = !!error;
    this.#updateRequired();
    this.#save();
    this.#listener.onchange(this);
  }

  #tooFew() {
    const { minFiles } = readRules(this.#input, "data-");
    return this.#uploads.size && this.#uploads.size < minFiles ? message("tooFew", { count: minFiles }) : "";
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
   * Return whether an input has uploads to show before files are chosen.
   * @param {HTMLInputElement} input
   */
  static hasUploads(input) {
    return !!input.files?.length || !!input.dataset.receipts || hasUnsent(placeOf(input.name));
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
