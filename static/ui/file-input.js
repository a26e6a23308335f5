/** @import { Page } from "./field.js" */
import { Field } from "./field.js";
import { isSame } from "./forms/form-data.js";
import { adoptStyles } from "./list/row-styles.js";
import { hasUnsent, placeOf } from "./unsent.js";

/** Marks an input that has files or receipts; its value is whether the page requires one. Copies of the input have it too. */
const MARK = "data-direct-upload-field";

/** A file input with `data-direct-upload`, and the uploads of its files. */
export class FileInput extends Field {
  #input;
  #isInvalid = false;
  /** The files that the input had when it was last looked at. @type {File[]} */
  #chosen = [];

  /**
   * @param {HTMLInputElement} input
   * @param {Page} page
   */
  constructor(input, page) {
    super(input, page, "data-");
    this.#input = input;
    this.addInitialReceipts();
    this.#updateRequired();
    void this.restore();
  }

  /** The name of the form's entries that tell each file's path in its folder; "" without such entries. */
  get pathName() {
    return this.#input.dataset.pathName ?? "";
  }

  /** A list would need a place beside the input. @override */
  get recordPlace() {
    return "";
  }

  /** Whether a script has changed the files without an event. */
  get hasOtherFiles() {
    return !isEqual(this.#input.files ?? [], this.#chosen);
  }

  /**
   * Take the files that are chosen now: they replace the uploads, or are added to them.
   * @param {boolean} [isAdding] whether the user has chosen more files for an input with `multiple`
   */
  choose(isAdding = false) {
    const { multiple } = this.#input;
    const files = [...(this.#input.files ?? [])];
    const chosen = files.map((file) => ({ file }));
    this.view.dismissNotices();
    if (isAdding && multiple) return void this.addNew(chosen);
    this.list.clear(this.uploads.filter(({ isInitial }) => !isInitial || (files.length && !multiple)));
    if (files.length) return void this.add(chosen);
    this.#chosen = [];
    this.cancel();
  }

  /** @override */
  onAdded() {
    this.#setFiles();
    this.show();
  }

  /** Put the rows below the input. @override */
  show() {
    if (!this.uploads.length || !this.isConnected) return;
    adoptStyles(/** @type {Document | ShadowRoot} */ (this.#input.getRootNode()));
    (this.#input.closest("label") ?? this.#input).after(...this.view.elements);
  }

  get rows() {
    return this.view.rows;
  }

  /** A failed upload makes the field invalid, so that the form cannot be submitted without the file. @override */
  onUpdate() {
    if (!isEqual(this.list.files, this.#chosen, isSame)) this.#setFiles(); // removed or moved
    const error = this.error || this.tooFew;
    if (error || this.#isInvalid) this.#input.setCustomValidity(error);
    this.#isInvalid = !!error;
    this.#updateRequired();
    this.save();
  }

  /** Give the input the files that have an upload, in the order of the uploads. */
  #setFiles() {
    const { files } = this.list;
    if (!isEqual(this.#input.files ?? [], files)) this.#input.files = createFileList(files);
    this.#chosen = [...(this.#input.files ?? [])];
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

/**
 * @param {ArrayLike<File>} files
 * @param {File[]} others
 * @param {(one: File, other: File) => boolean} [isOne]
 */
function isEqual(files, others, isOne = Object.is) {
  return files.length === others.length && others.every((file, index) => isOne(file, files[index]));
}

/** @param {File[]} files */
function createFileList(files) {
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(file);
  return transfer.files;
}
