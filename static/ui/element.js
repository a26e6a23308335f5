// <direct-upload>: a form field with a drop zone for one or several files.
/** @import { Upload } from "./file-upload.js" */
/** @import { Forms, UploadField } from "./form.js" */
import { advise } from "./advice.js";
import { DropZone } from "./drop-zone.js";
import { ELEMENT_STYLES } from "./element-styles.js";
import { FormControl } from "./form-control.js";
import { isSame } from "./form-data.js";
import { adoptStyles, ROW_STYLES } from "./row-styles.js";
import { message } from "../messages.js";
import { preview } from "./preview.js";
import { initialReceipts } from "./receipts.js";
import { haveSameContent } from "./same-content.js";
import { UnfinishedList } from "./unfinished-list.js";
import { UploadList } from "./upload-list.js";
import { View } from "./view.js";

/** @typedef {{ upload: Upload, forms: Forms, mount: URL }} Page what the elements need of their page */

/** @type {Page} */
let page;

/**
 * Define the custom element.
 * @param {Page} its
 */
export function define(its) {
  page = its;
  customElements.define("direct-upload", DirectUploadElement);
}

export class DirectUploadElement extends FormControl {
  static observedAttributes = ["accept", "max-size", "multiple", "name", "required"];
  #view = new View();
  #zone = new DropZone(this, { add: (files) => this.add(files), announce: (text) => this.#view.announce(text, true) });
  #unfinished = new UnfinishedList({
    choose: () => this.#zone.pick(),
    discarded: () => this.focus(),
  });
  #customError = "";
  /** Whether the receipts that the page began with are in the list. */
  #isInitialized = false;
  /** @type {UploadList} */
  #uploads = new UploadList({
    host: this,
    view: this.#view,
    upload: (file, options) => page.upload(file, { ...options, mount: this.#mount, place: this.#place }),
    mount: () => this.#mount,
    onchange: () => this.#update(),
    ondone: () => this.#updateFormValue(),
    onremove: () => this.#onRemove(),
  });

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    adoptStyles(root, ROW_STYLES);
    adoptStyles(root, ELEMENT_STYLES);
    this.#view.rows.ariaLabel = message("files");
    root.append(this.#zone.element, this.#unfinished.element, this.#view.rows, this.#view.liveRegion);
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
    page.forms.roots.add(this.getRootNode());
    page.forms.elements.add(this.#field);
    if (!this.#isInitialized) this.#addReceipts(initialReceipts(this));
    this.attributeChangedCallback();
    void this.#unfinished.load(this.#mount, this.#place);
  }

  disconnectedCallback() {
    this.#zone.disconnect();
    page.forms.elements.delete(this.#field);
  }

  attributeChangedCallback() {
    this.#zone.describe({ ...this.#rules, multiple: this.multiple });
    this.#update();
  }

  formResetCallback() {
    this.#uploads.clear();
    this.#addReceipts(initialReceipts(this));
    this.#view.announce("");
    page.forms.listener.oncancel(this.#field);
    this.#update();
  }

  /**
   * The browser restores a page from its history.
   * @param {string | File | FormData | null} state
   */
  formStateRestoreCallback(state) {
    if (typeof state !== "string" || !state) return;
    this.#uploads.clear();
    this.#addReceipts(JSON.parse(state));
    this.#update();
  }

  /** @param {boolean} isDisabled */
  formDisabledCallback(isDisabled) {
    this.#zone.button.disabled = isDisabled;
    this.#update();
  }

  /**
   * Add files as if the user had chosen them.
   * @param {Iterable<File>} files
   */
  add(files) {
    const chosen = [...files].slice(0, this.multiple ? undefined : 1);
    if (!this.multiple) this.#uploads.clear();
    if (this.form && !this.name) advise("an upload field has no name, so that its form submits no receipt.");
    this.#addNew(chosen.filter((file) => this.#isNew(file)));
  }

  /** @param {File[]} files */
  #addNew(files) {
    const added = this.#uploads.add(files, this.#rules);
    for (const { file, row } of added) row.showPreview(preview(file));
    this.#unfinished.removeChosen(added.map(({ file }) => file));
    if (this.dataset.directUpload !== "submit") this.#uploads.start();
    this.#update();
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
    return this.#uploads.uploads.map(({ file, state, result }) => ({ file, state, ...result }));
  }

  /** @param {string} message */
  setCustomValidity(message) {
    this.#customError = message;
    this.#updateValidity();
  }

  get #rules() {
    return { accept: this.accept, maxSize: this.maxSize };
  }

  get #mount() {
    const { directUploadMount } = this.dataset;
    return directUploadMount ? new URL(directUploadMount.replace(/\/*$/, "/"), page.mount) : page.mount;
  }

  /** @param {string[]} receipts */
  #addReceipts(receipts) {
    this.#isInitialized = true;
    this.#uploads.addReceipts(receipts);
  }

  /** Unfinished uploads are listed only in the field where they began. */
  get #place() {
    return `${location.pathname} ${this.name}`;
  }

  /** @type {UploadField} */
  #field = createField(this, () => this.#uploads, () => this.#view.announce(message("held"), true));

  /**
   * Return whether a file is not in the list yet. A failed upload of the same file is replaced.
   * @param {File} file
   */
  #isNew(file) {
    const same = this.#uploads.uploads.filter((each) => !each.isInitial && isSame(each.file, file));
    for (const each of same) if (each.state === "failed") this.#uploads.remove(each);
    const others = same.filter(({ state }) => state !== "failed");
    if (others.length) void this.#addUnlessSame(file, others.map((each) => each.file));
    return !others.length;
  }

  /**
   * Files of different folders may have the same name, size and time.
   * @param {File} file
   * @param {File[]} others
   */
  async #addUnlessSame(file, others) {
    for (const other of others) {
      if (file === other || (await haveSameContent(file, other))) {
        return this.#view.announce(message("duplicate", { name: file.name }), true);
      }
    }
    this.#addNew([file]);
  }

  #onRemove() {
    this.focus();
    page.forms.listener.oncancel(this.#field);
    this.#update();
  }

  #update() {
    this.#zone.button.toggleAttribute("data-compact", this.#uploads.uploads.length > 0);
    this.#updateFormValue();
    this.#updateValidity();
    page.forms.listener.onchange(this.#field);
  }

  #updateFormValue() {
    const data = new FormData();
    for (const { receipt } of this.#uploads.inState("done")) data.append(this.name, receipt);
    const receipts = this.#uploads.inState("done").map(({ receipt }) => receipt);
    this.internals.setFormValue(this.name ? data : null, receipts.length ? JSON.stringify(receipts) : "");
  }

  #updateValidity() {
    const error = this.#uploads.inState("failed")[0]?.validationMessage ?? this.#customError;
    const valueMissing = this.required && !this.#uploads.uploads.length;
    const flags = { customError: !!error, valueMissing };
    this.internals.setValidity(flags, error || (valueMissing ? message("required") : ""), this.#zone.button);
  }
}

/**
 * Create what a form sees of an element.
 * @param {DirectUploadElement} element
 * @param {() => UploadList} uploads
 * @param {() => void} announceHold
 * @returns {UploadField}
 */
function createField(element, uploads, announceHold) {
  return {
    get form() { return element.matches(":disabled") ? null : element.form; },
    get isConnected() { return element.isConnected; },
    get isBusy() { return uploads().isBusy; },
    get isReady() { return uploads().inState("ready").length > 0; },
    get hasFailed() { return uploads().inState("failed").length > 0; },
    begin: () => uploads().start(),
    announceHold,
  };
}
