// <direct-upload>: a form field with a drop zone for one or several files.
/** @import { FileUpload } from "./file-upload.js" */
/** @import { Forms } from "./form.js" */
/** @import { UnfinishedList } from "./list/unfinished-list.js" */
/** @import { Chosen } from "./list/upload-list.js" */
import { DropZone } from "./choice/drop-zone.js";
import { ELEMENT_STYLES } from "./element-styles.js";
import { Field } from "./field.js";
import { FormControl } from "./forms/form-control.js";
import { adoptStyles, ROW_STYLES } from "./list/row-styles.js";
import { message } from "../messages.js";

/** Above so many files, the form value is not updated for each. */
const MANY = 100;

/** @type {Forms} */
let page;

/**
 * Define the custom element.
 * @param {Forms} forms of the page
 */
export function define(forms) {
  page = forms;
  customElements.define("direct-upload", DirectUploadElement);
}

class DirectUploadElement extends FormControl {
  static observedAttributes = ["accept", "capture", "max-files", "max-size", "min-files", "multiple", "name", "required", "webkitdirectory"];
  #field = new Field(this, page, "");
  #uploads = this.#field.list;
  #view = this.#field.view;
  #zone = new DropZone(this, {
    add: (chosen) => this.#add(chosen),
    notify: (key, text) => this.#view.notify(key, text),
  });
  /** The list of unfinished uploads, which is optional. @type {UnfinishedList | undefined} */
  #unfinished;
  #customError = "";
  /** Whether the receipts that the page began with are in the list. */
  #isInitialized = false;
  /** When the form value is updated. @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  constructor() {
    super();
    Object.assign(this.#field, {
      onUpdate: () => this.#onUpdate(),
      onDone: () => this.#updateSoon(),
      onAdded: (/** @type {FileUpload[]} */ added) => this.#unfinished?.removeChosen(added.map(({ file }) => file)),
      focus: () => this.#zone.button.focus(), // the element itself does nothing while a part of it has the focus
    });
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    adoptStyles(root, ROW_STYLES);
    adoptStyles(root, ELEMENT_STYLES);
    this.#view.rows.ariaLabel = message("files");
    root.append(this.#zone.element, ...this.#view.elements);
    this.addEventListener("click", (event) => {
      if (event.composedPath()[0] === this) this.#zone.pick(); // its label was clicked
    });
  }

  connectedCallback() {
    // The content is the fallback for browsers without JavaScript.
    for (const fallback of this.querySelectorAll("input")) fallback.disabled = true;
    this.internals.role = "group";
    const labels = [...this.labels].map((label) => label.textContent?.trim());
    this.internals.ariaLabel = this.ariaLabel ?? (labels.join(" ") || null);
    this.#zone.connect();
    page.roots.add(this.getRootNode());
    page.elements.add(this.#field);
    if (!this.#isInitialized) this.#field.addInitialReceipts();
    this.#isInitialized = true;
    void this.#field.restore();
    this.attributeChangedCallback();
    void this.#listUnfinished();
  }

  disconnectedCallback() {
    this.#zone.disconnect();
    page.elements.delete(this.#field);
  }

  attributeChangedCallback() {
    void this.#zone.describe({ ...this.#field.rules, multiple: this.multiple });
    this.#field.update();
  }

  formResetCallback() {
    this.#field.reset();
  }

  /**
   * The browser restores a page from its history.
   * @param {string | File | FormData | null} state
   */
  formStateRestoreCallback(state) {
    if (typeof state !== "string" || !state) return;
    this.#uploads.clear();
    this.#uploads.addReceipts(JSON.parse(state));
    this.#isInitialized = true;
    this.#field.update();
  }

  /** @param {boolean} isDisabled */
  formDisabledCallback(isDisabled) {
    this.#zone.button.disabled = isDisabled;
    this.#field.update();
  }

  /**
   * Add files as if the user had chosen them.
   * @param {Iterable<File>} files
   */
  add(files) {
    this.#add([...files].map((file) => ({ file })));
  }

  /** @param {Chosen[]} chosen */
  #add(chosen) {
    if (!chosen.length) return;
    this.#view.dismissNotices();
    if (!this.multiple) this.#uploads.clear();
    void this.#field.addNew(chosen);
  }

  /** The first receipt; "" before an upload is complete. The form submits all receipts. */
  get value() {
    return this.#uploads.inState("done")[0]?.receipt ?? "";
  }

  get files() {
    return this.#uploads.files;
  }

  /** Each file with its state and, when it is uploaded, its result. */
  get uploads() {
    return this.#uploads.uploads.map(({ file, path, state, result }) => ({ file, path, state, ...result }));
  }

  /** @param {string} message */
  setCustomValidity(message) {
    this.#customError = message;
    this.#updateValidity();
  }

  async #listUnfinished() {
    const { showUnfinished } = await import("./unfinished.js");
    this.#unfinished = await showUnfinished(this.#unfinished, this.#field, this.#zone);
  }

  /** Update the form value, but not for each of many uploads that end at about the same time. */
  #updateSoon() {
    if (this.#uploads.size <= MANY || !this.#uploads.isBusy) return this.#updateFormValue();
    this.#timer ??= setTimeout(() => this.#updateFormValue(), 200);
  }

  #onUpdate() {
    this.#zone.button.toggleAttribute("data-compact", this.#uploads.size > 0);
    this.#updateSoon();
    this.#updateValidity();
  }

  #updateFormValue() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const data = new FormData();
    const done = this.#uploads.inState("done");
    for (const { receipt } of done) data.append(this.name, receipt);
    const { pathName } = this.dataset;
    if (pathName) for (const { path } of done) data.append(pathName, path);
    const receipts = done.map(({ receipt }) => receipt);
    this.#field.save();
    this.internals.setFormValue(this.name ? data : null, receipts.length ? JSON.stringify(receipts) : "");
  }

  #updateValidity() {
    const error = this.#field.error || this.#customError;
    const valueMissing = this.required && !this.#uploads.size;
    const reason = valueMissing ? message("required") : this.#field.tooFew;
    const rangeUnderflow = !valueMissing && !!reason;
    this.internals.setValidity({ customError: !!error, valueMissing, rangeUnderflow }, error || reason, this.#zone.button);
  }
}
