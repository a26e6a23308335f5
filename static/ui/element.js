// <direct-upload>: a drop zone for one file or several, that forms take for a field like any other.
/** @import { Upload } from "./file-upload.js" */
/** @import { Forms, Holder } from "./form.js" */
import { Batch } from "./file-list.js";
import { parseSize } from "./checks.js";
import { ELEMENT } from "./element-styles.js";
import { wear, ROWS } from "./row-styles.js";
import { say } from "../messages.js";
import { preview } from "./preview.js";
import { UnfinishedList } from "./unfinished-list.js";
import { View } from "./view.js";
import { Zone } from "./drop-zone.js";

/** @typedef {{ upload: Upload, forms: Forms, mount: URL }} Page what the element needs of the page that it is in */

/** @type {Page} */
let page;

/** @param {Page} its */
export function define(its) {
  page = its;
  customElements.define("direct-upload", DirectUploadElement);
}

export class DirectUploadElement extends HTMLElement {
  static formAssociated = true;
  static observedAttributes = ["accept", "max-size", "multiple", "name", "required"];
  #internals = this.attachInternals();
  #view = new View();
  #zone = new Zone(this, { take: (files) => this.add(files), complain: (text) => this.#view.announce(text, true) });
  #unfinished = new UnfinishedList({
    choose: () => this.#zone.pick(),
    forgotten: () => this.focus(),
  });
  #customError = "";
  /** @type {Batch} */
  #batch = new Batch({
    host: this,
    view: this.#view,
    upload: (file, options) => page.upload(file, { ...options, place: this.#place }),
    changed: () => this.#settle(),
    finished: () => this.#settleValue(),
    removed: () => this.#removed(),
  });

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open", delegatesFocus: true });
    wear(root, ROWS);
    wear(root, ELEMENT);
    this.#view.rows.ariaLabel = say("files");
    root.append(this.#zone.element, this.#unfinished.element, this.#view.rows, this.#view.news);
    this.addEventListener("click", (event) => {
      if (event.composedPath()[0] === this) this.#zone.pick(); // by its label
    });
  }

  connectedCallback() {
    // What stands in the element is for browsers without the script.
    for (const fallback of this.querySelectorAll("input")) fallback.disabled = true;
    this.#internals.role = "group";
    const labels = [...this.labels].map((label) => label.textContent?.trim());
    this.#internals.ariaLabel = this.ariaLabel ?? (labels.join(" ") || null);
    this.#zone.connect();
    page.forms.elements.add(this.#holder);
    this.attributeChangedCallback();
    void this.#unfinished.look(page.mount, this.#place);
  }

  disconnectedCallback() {
    this.#zone.disconnect();
    page.forms.elements.delete(this.#holder);
  }

  attributeChangedCallback() {
    this.#zone.describe({ ...this.#rules, multiple: this.multiple });
    this.#settle();
  }

  formResetCallback() {
    this.#batch.clear();
    this.#view.announce("");
    page.forms.listener.cancelled(this.#holder);
    this.#settle();
  }

  /** @param {boolean} isDisabled */
  formDisabledCallback(isDisabled) {
    this.#zone.button.disabled = isDisabled;
    this.#settle();
  }

  /**
   * Takes files as if they were chosen.
   * @param {Iterable<File>} files
   */
  add(files) {
    const wanted = [...files].slice(0, this.multiple ? undefined : 1);
    if (!this.multiple) this.#batch.clear();
    const added = this.#batch.add(wanted.filter((file) => this.#isNew(file)), this.#rules);
    for (const { file, row } of added) row.show(preview(file));
    this.#unfinished.chosen(added.map(({ file }) => file));
    if (this.dataset.directUpload !== "submit") this.#batch.start();
    this.#settle();
  }

  /** The first receipt, as the form gets it; "" when there is none. */
  get value() {
    return this.#batch.in("done")[0]?.receipt ?? "";
  }

  get files() {
    return this.#batch.files;
  }

  /** Every file with its state, and with its result when it has one. */
  get uploads() {
    return this.#batch.uploads.map(({ file, state, result }) => ({ file, state, ...result }));
  }

  get form() {
    return this.#internals.form;
  }

  get labels() {
    return /** @type {NodeListOf<HTMLLabelElement>} */ (this.#internals.labels);
  }

  get type() {
    return this.localName;
  }

  get name() {
    return this.getAttribute("name") ?? "";
  }

  set name(name) {
    this.setAttribute("name", name);
  }

  get accept() {
    return this.getAttribute("accept") ?? "";
  }

  set accept(accept) {
    this.setAttribute("accept", accept);
  }

  /** In bytes; Infinity when there is no limit. */
  get maxSize() {
    return parseSize(this.getAttribute("max-size"));
  }

  set maxSize(size) {
    this.setAttribute("max-size", String(size));
  }

  get multiple() {
    return this.hasAttribute("multiple");
  }

  set multiple(isMultiple) {
    this.toggleAttribute("multiple", isMultiple);
  }

  get required() {
    return this.hasAttribute("required");
  }

  set required(isRequired) {
    this.toggleAttribute("required", isRequired);
  }

  get disabled() {
    return this.hasAttribute("disabled");
  }

  set disabled(isDisabled) {
    this.toggleAttribute("disabled", isDisabled);
  }

  get willValidate() {
    return this.#internals.willValidate;
  }

  get validity() {
    return this.#internals.validity;
  }

  get validationMessage() {
    return this.#internals.validationMessage;
  }

  checkValidity() {
    return this.#internals.checkValidity();
  }

  reportValidity() {
    return this.#internals.reportValidity();
  }

  /** @param {string} message */
  setCustomValidity(message) {
    this.#customError = message;
    this.#settleValidity();
  }

  get #rules() {
    return { accept: this.accept, maxSize: this.maxSize };
  }

  /** Unfinished uploads are shown where they were begun, not all over the site. */
  get #place() {
    return `${location.pathname} ${this.name}`;
  }

  /** @type {Holder} */
  #holder = holderOf(this, () => this.#batch, () => this.#view.announce(say("held"), true));

  /**
   * The same file again is not another one, unless it failed.
   * @param {File} file
   */
  #isNew(file) {
    const same = this.#batch.uploads.find(({ file: { name, size, lastModified } }) =>
      name === file.name && size === file.size && lastModified === file.lastModified);
    if (same?.state !== "failed") return !same;
    this.#batch.remove(same);
    return true;
  }

  #removed() {
    this.focus();
    page.forms.listener.cancelled(this.#holder);
    this.#settle();
  }

  #settle() {
    this.#zone.button.toggleAttribute("data-compact", this.#batch.uploads.length > 0);
    this.#settleValue();
    this.#settleValidity();
    page.forms.listener.changed(this.#holder);
  }

  #settleValue() {
    const data = new FormData();
    for (const { receipt } of this.#batch.in("done")) data.append(this.name, receipt);
    this.#internals.setFormValue(this.name ? data : null);
  }

  #settleValidity() {
    const message = this.#batch.in("failed")[0]?.complaint ?? this.#customError;
    const valueMissing = this.required && !this.#batch.uploads.length;
    const flags = { customError: !!message, valueMissing };
    this.#internals.setValidity(flags, message || (valueMissing ? say("required") : ""), this.#zone.button);
  }
}

/**
 * What forms may know of an element.
 * @param {DirectUploadElement} element
 * @param {() => Batch} batch
 * @param {() => void} announceHold
 * @returns {Holder}
 */
function holderOf(element, batch, announceHold) {
  return {
    get form() { return element.matches(":disabled") ? null : element.form; },
    get isConnected() { return element.isConnected; },
    get isBusy() { return batch().isBusy; },
    get isWaiting() { return batch().in("ready").length > 0; },
    get hasFailed() { return batch().in("failed").length > 0; },
    begin: () => batch().start(),
    announceHold,
  };
}
