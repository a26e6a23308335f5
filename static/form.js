// Plain file inputs, enhanced. All listening is done at the document, so inputs that are added later, moved or cloned
// need nothing done to them.
/** @import { Upload } from "./file-upload.js" */
import { Field } from "./field.js";

const MARKED = "input[type=file][data-direct-upload]";

/**
 * @param {Document} document
 * @param {Upload} upload
 */
export function enhance(document, upload) {
  const forms = new Forms(document, upload);
  document.addEventListener("change", ({ target }) => forms.chosen(target), true);
  document.addEventListener("submit", (event) => forms.submitted(event), true);
  document.addEventListener("formdata", (event) => forms.collected(event), true);
  document.addEventListener("reset", ({ target }) => void setTimeout(() => forms.reset(target)), true);
  for (const input of forms.inputs) if (input.files?.length) forms.chosen(input);
}

class Forms {
  #document;
  #upload;
  /** @type {WeakMap<HTMLInputElement, Field>} */
  #fields = new WeakMap();
  /** Forms that wait for their uploads, and the button that was pressed. @type {Map<HTMLFormElement, HTMLElement | null>} */
  #held = new Map();
  /** @type {Set<HTMLFormElement>} */
  #busy = new Set();

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
  chosen(target) {
    if (!(target instanceof HTMLInputElement && target.matches(MARKED))) return;
    const field = this.#fields.get(target) ?? new Field(target, this.#upload, this.#listener);
    this.#fields.set(target, field);
    field.choose();
  }

  /** @param {SubmitEvent} event */
  submitted(event) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const fields = this.#fieldsOf(form);
    const busy = fields.filter((field) => field.isBusy);
    if (!busy.length && !fields.some((field) => field.hasFailed)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!busy.length) return void form.reportValidity();
    this.#held.set(form, event.submitter);
    for (const field of busy) field.announceHold();
  }

  /**
   * A file that is uploaded is not sent through the application too.
   * @param {FormDataEvent} event
   */
  collected({ target, formData }) {
    for (const input of this.inputs) {
      if (input.form !== target) continue;
      const finished = this.#fields.get(input)?.finished ?? [];
      if (!finished.length) continue;
      const disabled = input.matches(":disabled");
      const entries = formData.getAll(input.name);
      formData.delete(input.name);
      for (const entry of entries) {
        const done = finished.some(({ file, receipt }) => isSame(entry, file) || (disabled && entry === receipt));
        if (!done) formData.append(input.name, entry);
      }
    }
  }

  /** @param {EventTarget | null} form */
  reset(form) {
    for (const input of this.inputs) {
      if (input.form === form && !input.files?.length) this.#fields.get(input)?.clear();
    }
  }

  /** @type {import("./field.js").Listener} */
  #listener = {
    changed: ({ form }) => {
      for (const each of new Set([...this.#busy, ...(form ? [form] : [])])) this.#look(each);
    },
    // Whoever cancels an upload after pressing the button may not want the form to go without it.
    cancelled: ({ form }) => void (form && this.#held.delete(form)),
  };

  /** @param {HTMLFormElement} form */
  #look(form) {
    const busy = this.#fieldsOf(form).some((field) => field.isBusy);
    if (busy === this.#busy.has(form)) return;
    if (busy) this.#busy.add(form);
    else this.#busy.delete(form);
    if (this.#busy.size) addEventListener("beforeunload", warn);
    else removeEventListener("beforeunload", warn);
    form.dispatchEvent(new CustomEvent(`direct-uploads:${busy ? "start" : "end"}`, { bubbles: true }));
    if (!busy) this.#letGo(form);
  }

  /** @param {HTMLFormElement} form */
  #letGo(form) {
    const pressed = this.#held.get(form);
    if (!this.#held.delete(form)) return;
    const button = /** @type {HTMLButtonElement | null} */ (pressed);
    form.requestSubmit(button?.form === form ? button : null);
  }

  /** @param {HTMLFormElement} form */
  #fieldsOf(form) {
    const own = [...this.inputs].filter((input) => input.form === form);
    return own.flatMap((input) => this.#fields.get(input) ?? []);
  }
}

/**
 * @param {FormDataEntryValue} entry
 * @param {File} file
 */
function isSame(entry, file) {
  if (!(entry instanceof File)) return false;
  return entry.name === file.name && entry.size === file.size && entry.lastModified === file.lastModified;
}

/** Leaving now would interrupt an upload. @param {Event} event */
function warn(event) {
  event.preventDefault();
}
