// Forms wait for their uploads. All listeners are on documents and shadow roots, so that inputs can be added, moved and
// cloned freely.
/** @import { Upload } from "./file-upload.js" */
/** @import { Pressed } from "./forms/submitter.js" */
import { advise } from "./advice.js";
import { checkSupport } from "../engine/support.js";
import { FileInput } from "./file-input.js";
import { appendPaths, replaceFiles } from "./forms/form-data.js";
import { translated } from "../messages.js";
import { Roots } from "./forms/roots.js";
import { closesDialog, recordSubmitter, skipsValidation, submitAs } from "./forms/submitter.js";
import { removeCopies } from "./view.js";

const MARKED = "input[type=file][data-direct-upload]";
const ELEMENT = "direct-upload";

/**
 * A field that its form waits for: a file input or an upload element.
 * @typedef {object} UploadField
 * @property {HTMLFormElement | null} form
 * @property {boolean} isConnected
 * @property {boolean} isBusy
 * @property {boolean} isReady whether it has files whose upload starts when the form is submitted
 * @property {boolean} hasFailed
 * @property {() => void} begin
 * @property {() => void} hold say that the form waits, until `release`
 * @property {() => void} release
 * @property {() => void} markSent the form was submitted
 */

/**
 * @typedef {object} FieldListener
 * @property {(field: UploadField) => void} onchange an upload has started or ended
 * @property {(field: UploadField) => void} oncancel the user removed a file
 */

/**
 * Enhance the fields of a page.
 * @param {Document} document
 * @param {Upload} upload
 * @param {URL} mount
 */
export async function enhance(document, upload, mount) {
  checkSupport();
  await translated;
  const forms = new Forms(document, upload, mount);
  forms.roots.watch();
  await forms.element;
}

/**
 * Submit the forms that were submitted before the page was enhanced.
 * @param {Map<HTMLFormElement, Pressed>} held
 */
export function submitHeld(held) {
  for (const [form, pressed] of held) submitAs(form, pressed);
}

export class Forms {
  /** The upload elements in the page. @type {Set<UploadField>} */
  elements = new Set();
  /** The module of the upload element, when the page has one. @type {Promise<void> | undefined} */
  element;
  roots;
  /** @type {WeakMap<HTMLInputElement, FileInput>} */
  #fields = new WeakMap();
  /** The fields that own rows. @type {WeakMap<Element, FileInput>} */
  #owners = new WeakMap();
  /** Forms that wait for their uploads, and the button that submitted each. @type {Map<HTMLFormElement, Pressed>} */
  #held = new Map();
  /** Forms whose submission was not held. @type {WeakSet<HTMLFormElement>} */
  #submitted = new WeakSet();
  /** @type {Set<HTMLFormElement>} */
  #busyForms = new Set();
  /** @type {Set<UploadField>} */
  #busyFields = new Set();

  /**
   * @param {Document} document
   * @param {Upload} upload
   * @param {URL} mount
   */
  constructor(document, upload, mount) {
    this.upload = upload;
    this.mount = mount;
    this.roots = new Roots(document, {
      onroot: (root) => this.#onRoot(root),
      onadded: (node) => this.#enhanceAll(node),
      onremoved: (node) => this.#onRemoved(node),
    });
  }

  /** @param {Document | ShadowRoot} root */
  #onRoot(root) {
    root.addEventListener("change", (event) => this.#onChange(event), true);
    root.addEventListener("submit", (event) => this.#onSubmit(/** @type {SubmitEvent} */ (event)), true);
    root.addEventListener("formdata", (event) => this.#onFormData(/** @type {FormDataEvent} */ (event)), true);
    root.addEventListener("reset", ({ target }) => void setTimeout(() => this.#onReset(target)), true);
    this.#enhanceAll(root);
  }

  /**
   * Enhance what is new in the page.
   * @param {Document | ShadowRoot | Element} node
   */
  #enhanceAll(node) {
    removeCopies(node);
    for (const input of [...node.querySelectorAll(MARKED), node]) if (isMarked(input)) this.#enhance(input);
    if ((node instanceof Element && node.matches(ELEMENT)) || node.querySelector(ELEMENT)) void this.#loadElement();
  }

  #loadElement() {
    this.element ??= import("./element.js").then(({ define }) => define(this));
    return this.element;
  }

  /**
   * Return the field of an input, if it has files or receipts. Files that a script has set are noticed here.
   * @param {HTMLInputElement} input
   */
  #enhance(input) {
    let field = this.#fields.get(input);
    if (!field) {
      FileInput.cleanCopy(input);
      if (!FileInput.hasUploads(input)) return undefined;
      field = this.#createField(input);
    }
    if (field.hasOtherFiles) field.choose();
    return field;
  }

  /** @param {HTMLInputElement} input */
  #createField(input) {
    const field = new FileInput(input, this);
    this.#fields.set(input, field);
    this.#owners.set(field.rows, field);
    return field;
  }

  /**
   * Put rows back that a library has removed because it did not know them.
   * @param {Element} node
   */
  #onRemoved(node) {
    for (const element of [node, ...node.querySelectorAll("ul")]) {
      if (!element.isConnected) this.#owners.get(element)?.show();
    }
  }

  /** A script that fires the event has set all files itself. @param {Event} event */
  #onChange({ target, isTrusted }) {
    if (isMarked(target)) (this.#fields.get(target) ?? this.#createField(target)).choose(isTrusted);
  }

  /** @param {SubmitEvent} event */
  #onSubmit(event) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (event.defaultPrevented || closesDialog(form, event.submitter)) return;
    for (const input of inputsOf(form)) this.#enhance(input);
    const fields = this.#fieldsOf(form);
    for (const field of fields) if (field.isReady) field.begin();
    const busy = fields.filter((field) => field.isBusy);
    const isInvalid = !skipsValidation(form, event.submitter) && fields.some((field) => field.hasFailed);
    if (!busy.length && !isInvalid) return void this.#submitted.add(form);
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!busy.length) return void form.reportValidity();
    this.#held.set(form, recordSubmitter(event.submitter));
    for (const field of busy) field.hold();
  }

  /** @param {FormDataEvent} event */
  #onFormData({ target, formData }) {
    const form = /** @type {HTMLFormElement} */ (target);
    const inputs = inputsOf(form);
    const isSubmitted = this.#submitted.delete(form);
    if (!isSubmitted) this.#adviseAboutSubmit(form, inputs);
    const fields = inputs.flatMap((input) => (input.name && this.#fields.get(input)) || []);
    if (fields.some(({ uploads }) => uploads.length)) replaceFiles(formData, fields);
    for (const field of fields) appendPaths(formData, field);
    if (isSubmitted) for (const field of this.#fieldsOf(form)) field.markSent();
  }

  /**
   * `form.submit()` fires no `submit` event, so that it cannot wait.
   * @param {HTMLFormElement} form
   * @param {HTMLInputElement[]} inputs
   */
  #adviseAboutSubmit(form, inputs) {
    const isUnknown = inputs.some((input) => input.files?.length && (this.#fields.get(input)?.hasOtherFiles ?? true));
    if (!isUnknown && !this.#fieldsOf(form).some(({ isReady, isBusy }) => isReady || isBusy)) return;
    advise("form.submit() does not wait for uploads. Call form.requestSubmit() instead.");
  }

  /** @param {EventTarget | null} form */
  #onReset(form) {
    for (const input of inputsOf(/** @type {HTMLFormElement} */ (form), "")) {
      if (!input.files?.length) this.#fields.get(input)?.reset();
    }
  }

  /** @type {FieldListener} */
  listener = {
    onchange: (field) => {
      this.#updateUnloadWarning(field);
      for (const form of new Set([...this.#busyForms, ...(field.form ? [field.form] : [])])) this.#updateForm(form);
    },
    // After removing a file, the user may not want the form to be submitted without it.
    oncancel: ({ form }) => {
      if (form && this.#held.delete(form)) this.#release(form);
    },
  };

  /** @param {HTMLFormElement} form */
  #release(form) {
    for (const field of this.#fieldsOf(form)) field.release();
  }

  /** @param {UploadField} field */
  #updateUnloadWarning(field) {
    if (field.isBusy) this.#busyFields.add(field);
    else this.#busyFields.delete(field);
    // Only while it is needed: some browsers keep pages with such a listener out of the back/forward cache.
    if (this.#busyFields.size) addEventListener("beforeunload", this.#warnBeforeUnload);
    else removeEventListener("beforeunload", this.#warnBeforeUnload);
  }

  /** @param {HTMLFormElement} form */
  #updateForm(form) {
    const busy = this.#fieldsOf(form).some((field) => field.isBusy);
    if (busy === this.#busyForms.has(form)) return;
    if (busy) this.#busyForms.add(form);
    else this.#busyForms.delete(form);
    form.dispatchEvent(new CustomEvent(`direct-uploads:${busy ? "start" : "end"}`, { bubbles: true }));
    if (!busy) this.#submit(form);
  }

  /** @param {HTMLFormElement} form */
  #submit(form) {
    const pressed = this.#held.get(form) ?? null;
    if (!this.#held.delete(form)) return;
    this.#release(form);
    submitAs(form, pressed);
  }

  /** @param {HTMLFormElement} form */
  #fieldsOf(form) {
    /** @type {UploadField[]} */
    const fields = inputsOf(form).flatMap((input) => this.#fields.get(input) ?? []);
    return [...fields, ...[...this.elements].filter((field) => field.form === form)];
  }

  /** Ask before leaving while an upload is in progress and its field is still in the page. @param {Event} event */
  #warnBeforeUnload = (event) => {
    if ([...this.#busyFields].some(({ isConnected }) => isConnected)) event.preventDefault();
  };
}

/**
 * @param {EventTarget | null} target
 * @returns {target is HTMLInputElement}
 */
function isMarked(target) {
  return target instanceof HTMLInputElement && target.matches(MARKED);
}

/**
 * Return the inputs of a form, which are in the same document or shadow root.
 * @param {HTMLFormElement} form
 * @param {string} [state] a selector; default: enabled inputs only
 */
function inputsOf(form, state = ":enabled") {
  const root = /** @type {ParentNode & Node} */ (form.getRootNode());
  return [.../** @type {NodeListOf<HTMLInputElement>} */ (root.querySelectorAll(MARKED + state))].filter((input) => input.form === form);
}
