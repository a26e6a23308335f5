// <direct-upload>: a form field with a drop zone for one or several files.
/** @import { Upload } from "./file-upload.js" */
/** @import { Forms, UploadField } from "./form.js" */
/** @import { UnfinishedList } from "./list/unfinished-list.js" */
/** @import { Chosen } from "./list/upload-list.js" */
import { advise } from "./advice.js";
import { readRules } from "./choice/checks.js";
import { DropZone } from "./choice/drop-zone.js";
import { createField } from "./element-field.js";
import { ELEMENT_STYLES } from "./element-styles.js";
import { FormControl } from "./forms/form-control.js";
import { isSame } from "./forms/form-data.js";
import { adoptStyles, ROW_STYLES } from "./list/row-styles.js";
import { message } from "../messages.js";
import { initialReceipts } from "./forms/receipts.js";
import { hasUnsent, loadUnsent, placeOf, saveUnsent } from "./unsent.js";
import { UploadList } from "./list/upload-list.js";
import { View } from "./view.js";

/** Above so many files, the form value is not updated for each. */
const MANY = 100;

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
  static observedAttributes = ["accept", "capture", "max-files", "max-size", "min-files", "multiple", "name", "required", "webkitdirectory"];
  #view = new View();
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
  /** @type {UploadList} */
  #uploads = new UploadList({
    host: this,
    view: this.#view,
    mount: () => this.#mount,
    upload: (file, options) => page.upload(file, { ...options, mount: this.#mount, place: this.#place }),
    onchange: () => this.#update(),
    ondone: () => this.#updateSoon(),
    onremove: () => this.#onRemove(),
    focus: () => this.#zone.button.focus(), // the element itself does nothing while a part of it has the focus
  });

  constructor() {
    super();
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
    page.forms.roots.add(this.getRootNode());
    page.forms.elements.add(this.#field);
    if (this.multiple) this.#view.enableReorder(this.#uploads);
    if (!this.#isInitialized) this.#addReceipts(initialReceipts(this));
    void this.#restore();
    this.attributeChangedCallback();
    void this.#listUnfinished();
  }

  disconnectedCallback() {
    this.#zone.disconnect();
    page.forms.elements.delete(this.#field);
  }

  attributeChangedCallback() {
    void this.#zone.describe({ ...this.#rules, multiple: this.multiple });
    this.#update();
  }

  formResetCallback() {
    this.#uploads.clear();
    this.#addReceipts(initialReceipts(this));
    this.#view.dismissNotices();
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
    this.#add([...files].map((file) => ({ file })));
  }

  /** @param {Chosen[]} chosen */
  #add(chosen) {
    if (!chosen.length) return;
    this.#view.dismissNotices();
    if (!this.multiple) this.#uploads.clear();
    if (this.form && !this.name) advise("an upload field has no name, so that its form submits no receipt.");
    void this.#addNew(chosen.filter((each) => this.#isNew(each)));
  }

  /** @param {Chosen[]} chosen */
  async #addNew(chosen) {
    if (!this.#uploads.hasRoom(chosen, this.#rules)) chosen = await this.#uploads.limit(chosen, this.#rules);
    const added = this.#uploads.add(chosen, this.#rules);
    this.#unfinished?.removeChosen(added.map(({ file }) => file));
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
    return this.#uploads.uploads.map(({ file, path, state, result }) => ({ file, path, state, ...result }));
  }

  /** @param {string} message */
  setCustomValidity(message) {
    this.#customError = message;
    this.#updateValidity();
  }

  get #rules() {
    return readRules(this);
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
    return placeOf(this.name);
  }

  /** @type {UploadField} */
  #field = createField(this, () => this.#uploads, () => this.#markSent());

  /**
   * Return whether a file is not in the list yet. A failed upload of the same file is replaced.
   * @param {Chosen} chosen
   */
  #isNew({ file, path = file.webkitRelativePath }) {
    const same = this.#uploads.uploads.filter((each) => !each.isInitial && each.path === path && isSame(each.file, file));
    for (const each of same) if (each.state === "failed") this.#uploads.remove(each);
    const others = same.filter(({ state }) => state !== "failed");
    if (others.length) void this.#addUnlessSame({ file, path }, others.map((each) => each.file));
    return !others.length;
  }

  /**
   * Files of different folders may have the same name, size and time.
   * @param {Chosen} chosen
   * @param {File[]} others
   */
  async #addUnlessSame(chosen, others) {
    const { file } = chosen;
    const { haveSameContent } = await import("./choice/same-content.js");
    for (const other of others) {
      if (file === other || (await haveSameContent(file, other))) {
        return this.#view.notify("duplicate", message("duplicate", { name: file.name }));
      }
    }
    void this.#addNew([chosen]);
  }

  async #listUnfinished() {
    const { loadUnfinished } = await import("./unfinished.js");
    const actions = { choose: () => this.#zone.pick(), discarded: () => this.#zone.button.focus() };
    const list = (this.#unfinished = await loadUnfinished(this.#unfinished, this.#mount, this.#place, actions));
    if (!list) return;
    list.removeChosen(this.files); // while the list was loaded
    this.#zone.element.after(list.element);
  }

  /** Show what was uploaded before the page was loaded again. */
  async #restore() {
    if (!hasUnsent(this.#place)) return;
    const receipts = await loadUnsent(this.#place, this.#mount);
    if (this.#uploads.size && !this.multiple) return;
    this.#uploads.addReceipts(receipts, false);
    this.#update();
  }

  #markSent() {
    this.#uploads.markSent();
    saveUnsent(this.#place, this.#mount, this.#uploads.uploads);
  }

  #onRemove() {
    page.forms.listener.oncancel(this.#field);
    this.#update();
  }

  /** Update the form value, but not for each of many uploads that end at about the same time. */
  #updateSoon() {
    if (this.#uploads.size <= MANY || !this.#uploads.isBusy) return this.#updateFormValue();
    this.#timer ??= setTimeout(() => this.#updateFormValue(), 200);
  }

  #update() {
    this.#zone.button.toggleAttribute("data-compact", this.#uploads.size > 0);
    this.#updateSoon();
    this.#updateValidity();
    page.forms.listener.onchange(this.#field);
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
    saveUnsent(this.#place, this.#mount, done);
    this.internals.setFormValue(this.name ? data : null, receipts.length ? JSON.stringify(receipts) : "");
  }

  #updateValidity() {
    const { size } = this.#uploads;
    const { minFiles } = this.#rules;
    const error = this.#uploads.inState("failed")[0]?.validationMessage ?? this.#customError;
    const valueMissing = this.required && !size;
    const rangeUnderflow = size > 0 && size < minFiles;
    const reason = (valueMissing && message("required")) || (rangeUnderflow && message("tooFew", { count: minFiles })) || "";
    this.internals.setValidity({ customError: !!error, valueMissing, rangeUnderflow }, error || reason, this.#zone.button);
  }
}
