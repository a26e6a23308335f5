// Forms wait for their uploads. All listeners are on the document, so that inputs can be added, moved and cloned freely.
/** @import { Upload } from "./file-upload.js" */
import { FileInput } from "./file-input.js";

const MARKED = "input[type=file][data-direct-upload]";

/**
 * A field that its form waits for: a file input or an upload element.
 * @typedef {object} UploadField
 * @property {HTMLFormElement | null} form
 * @property {boolean} isConnected
 * @property {boolean} isBusy
 * @property {boolean} isReady whether it has files whose upload starts when the form is submitted
 * @property {boolean} hasFailed
 * @property {() => void} begin
 * @property {() => void} announceHold
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
  const forms = new Forms(document, upload);
  document.addEventListener("change", ({ target }) => forms.onChange(target), true);
  document.addEventListener("submit", (event) => forms.onSubmit(event), true);
  document.addEventListener("formdata", (event) => forms.onFormData(event), true);
  document.addEventListener("reset", ({ target }) => void setTimeout(() => forms.onReset(target)), true);
  for (const input of forms.inputs) if (input.files?.length) forms.onChange(input);
  await whenPresent("direct-upload", document, async () => (await import("./element.js")).define({ upload, forms, mount }));
}

/**
 * Run `work` when the page has such an element; wait for it only when the element is there already.
 * @param {string} selector
 * @param {Document} document
 * @param {() => Promise<void>} work
 */
async function whenPresent(selector, document, work) {
  if (document.querySelector(selector)) return work();
  const watcher = new MutationObserver(() => {
    if (!document.querySelector(selector)) return;
    watcher.disconnect();
    void work();
  });
  watcher.observe(document, { childList: true, subtree: true });
}

export class Forms {
  /** The upload elements in the page. @type {Set<UploadField>} */
  elements = new Set();
  #document;
  #upload;
  /** @type {WeakMap<HTMLInputElement, FileInput>} */
  #fields = new WeakMap();
  /** Forms that wait for their uploads, and the button that submitted each. @type {Map<HTMLFormElement, HTMLElement | null>} */
  #held = new Map();
  /** @type {Set<HTMLFormElement>} */
  #busyForms = new Set();
  /** @type {Set<UploadField>} */
  #busyFields = new Set();

  /**
   * @param {Document} document
   * @param {Upload} upload
   */
  constructor(document, upload) {
    this.#document = document;
    this.#upload = upload;
  }

  get inputs() {
    return /** @type {NodeListOf<HTMLInputElement>} */ (this.#document.querySelectorAll(MARKED));
  }

  /** @param {EventTarget | null} target */
  onChange(target) {
    if (!(target instanceof HTMLInputElement && target.matches(MARKED))) return;
    const field = this.#fields.get(target) ?? new FileInput(target, this.#upload, this.listener);
    this.#fields.set(target, field);
    field.choose();
  }

  /** @param {SubmitEvent} event */
  onSubmit(event) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const fields = this.#fieldsOf(form);
    const hasFailed = fields.some((field) => field.hasFailed);
    if (!hasFailed) for (const field of fields) if (field.isReady) field.begin();
    const busy = fields.filter((field) => field.isBusy);
    if (!busy.length && !hasFailed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!busy.length) return void form.reportValidity();
    this.#held.set(form, event.submitter);
    for (const field of busy) field.announceHold();
  }

  /**
   * Remove the files that are uploaded: the receipts take their place.
   * @param {FormDataEvent} event
   */
  onFormData({ target, formData }) {
    const inputs = [...this.inputs].filter(({ form }) => form === target);
    const all = [...formData];
    const kept = all.filter(([name, entry]) => !inputs.some((input) => input.name === name && this.#isDone(input, entry)));
    if (kept.length === all.length) return;
    for (const [name] of all) formData.delete(name); // all of them, since their order matters
    for (const [name, entry] of kept) formData.append(name, /** @type {string} */ (entry));
  }

  /**
   * Return whether an entry must not be sent: the file of a finished upload, or its receipt when the input is disabled.
   * @param {HTMLInputElement} input
   * @param {FormDataEntryValue} entry
   */
  #isDone(input, entry) {
    const isDisabled = input.matches(":disabled");
    const finished = this.#fields.get(input)?.finished ?? [];
    return finished.some(({ file, receipt }) => isSame(entry, file) || (isDisabled && entry === receipt));
  }

  /** @param {EventTarget | null} form */
  onReset(form) {
    for (const input of this.inputs) {
      if (input.form === form && !input.files?.length) this.#fields.get(input)?.clear();
    }
  }

  /** @type {FieldListener} */
  listener = {
    onchange: (field) => {
      this.#updateUnloadWarning(field);
      for (const form of new Set([...this.#busyForms, ...(field.form ? [field.form] : [])])) this.#updateForm(form);
    },
    // After removing a file, the user may not want the form to be submitted without it.
    oncancel: ({ form }) => void (form && this.#held.delete(form)),
  };

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
    const button = /** @type {HTMLButtonElement | null} */ (this.#held.get(form) ?? null);
    if (!this.#held.delete(form)) return;
    form.requestSubmit(button?.form === form ? button : null);
  }

  /** @param {HTMLFormElement} form */
  #fieldsOf(form) {
    const inputs = [...this.inputs].filter((input) => !input.matches(":disabled"));
    /** @type {UploadField[]} */
    const fields = inputs.flatMap((input) => this.#fields.get(input) ?? []);
    return [...fields, ...this.elements].filter((field) => field.form === form);
  }

  /** Ask before leaving while an upload is in progress and its field is still in the page. @param {Event} event */
  #warnBeforeUnload = (event) => {
    if ([...this.#busyFields].some(({ isConnected }) => isConnected)) event.preventDefault();
  };
}

/**
 * @param {FormDataEntryValue} entry
 * @param {File} file
 */
function isSame(entry, file) {
  if (!(entry instanceof File)) return false;
  return entry.name === file.name && entry.size === file.size && entry.lastModified === file.lastModified;
}
