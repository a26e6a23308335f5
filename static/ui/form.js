// Forms wait for their uploads. All listening is done at the document, so inputs that are added later, moved or cloned
// need nothing done to them.
/** @import { Upload } from "./file-upload.js" */
import { Field } from "./field.js";

const MARKED = "input[type=file][data-direct-upload]";

/**
 * A field that a form waits for.
 * @typedef {object} Holder
 * @property {HTMLFormElement | null} form
 * @property {boolean} isConnected
 * @property {boolean} isBusy
 * @property {boolean} isWaiting whether it has files whose upload begins when the form is submitted
 * @property {boolean} hasFailed
 * @property {() => void} begin
 * @property {() => void} announceHold
 */

/**
 * @typedef {object} Listener
 * @property {(holder: Holder) => void} changed an upload has started or ended
 * @property {(holder: Holder) => void} cancelled the visitor took back what was chosen
 */

/**
 * @param {Document} document
 * @param {Upload} upload
 * @param {URL} mount
 */
export async function enhance(document, upload, mount) {
  const forms = new Forms(document, upload);
  document.addEventListener("change", ({ target }) => forms.chosen(target), true);
  document.addEventListener("submit", (event) => forms.submitted(event), true);
  document.addEventListener("formdata", (event) => forms.collected(event), true);
  document.addEventListener("reset", ({ target }) => void setTimeout(() => forms.reset(target)), true);
  for (const input of forms.inputs) if (input.files?.length) forms.chosen(input);
  await whenThereIs("direct-upload", document, async () => (await import("./element.js")).define({ upload, forms, mount }));
}

/**
 * Waits for `work` only when there is such an element already.
 * @param {string} selector
 * @param {Document} document
 * @param {() => Promise<void>} work
 */
async function whenThereIs(selector, document, work) {
  if (document.querySelector(selector)) return work();
  const watcher = new MutationObserver(() => {
    if (!document.querySelector(selector)) return;
    watcher.disconnect();
    void work();
  });
  watcher.observe(document, { childList: true, subtree: true });
}

export class Forms {
  /** Elements that hold forms by themselves. @type {Set<Holder>} */
  elements = new Set();
  #document;
  #upload;
  /** @type {WeakMap<HTMLInputElement, Field>} */
  #fields = new WeakMap();
  /** Forms that wait for their uploads, and the button that was pressed. @type {Map<HTMLFormElement, HTMLElement | null>} */
  #held = new Map();
  /** @type {Set<HTMLFormElement>} */
  #busy = new Set();
  /** @type {Set<Holder>} */
  #working = new Set();

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
    const field = this.#fields.get(target) ?? new Field(target, this.#upload, this.listener);
    this.#fields.set(target, field);
    field.choose();
  }

  /** @param {SubmitEvent} event */
  submitted(event) {
    const form = /** @type {HTMLFormElement} */ (event.target);
    const fields = this.#holdersOf(form);
    const hasFailed = fields.some((field) => field.hasFailed);
    if (!hasFailed) for (const field of fields) if (field.isWaiting) field.begin();
    const busy = fields.filter((field) => field.isBusy);
    if (!busy.length && !hasFailed) return;
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
    const inputs = [...this.inputs].filter(({ form }) => form === target);
    const all = [...formData];
    const kept = all.filter(([name, entry]) => !inputs.some((input) => input.name === name && this.#isDone(input, entry)));
    if (kept.length === all.length) return;
    for (const [name] of all) formData.delete(name); // all of them, since their order matters
    for (const [name, entry] of kept) formData.append(name, /** @type {string} */ (entry));
  }

  /**
   * Whether an entry is of an upload, and must not go: its file, or its receipt when the input is disabled.
   * @param {HTMLInputElement} input
   * @param {FormDataEntryValue} entry
   */
  #isDone(input, entry) {
    const isDisabled = input.matches(":disabled");
    const finished = this.#fields.get(input)?.finished ?? [];
    return finished.some(({ file, receipt }) => isSame(entry, file) || (isDisabled && entry === receipt));
  }

  /** @param {EventTarget | null} form */
  reset(form) {
    for (const input of this.inputs) {
      if (input.form === form && !input.files?.length) this.#fields.get(input)?.clear();
    }
  }

  /** @type {Listener} */
  listener = {
    changed: (holder) => {
      this.#note(holder);
      for (const each of new Set([...this.#busy, ...(holder.form ? [holder.form] : [])])) this.#look(each);
    },
    // Whoever cancels an upload after pressing the button may not want the form to go without it.
    cancelled: ({ form }) => void (form && this.#held.delete(form)),
  };

  /** @param {Holder} holder */
  #note(holder) {
    if (holder.isBusy) this.#working.add(holder);
    else this.#working.delete(holder);
    // Only as long as it is needed: some browsers do not keep a page with such a listener for the way back.
    if (this.#working.size) addEventListener("beforeunload", this.#warn);
    else removeEventListener("beforeunload", this.#warn);
  }

  /** @param {HTMLFormElement} form */
  #look(form) {
    const busy = this.#holdersOf(form).some((field) => field.isBusy);
    if (busy === this.#busy.has(form)) return;
    if (busy) this.#busy.add(form);
    else this.#busy.delete(form);
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
  #holdersOf(form) {
    const inputs = [...this.inputs].filter((input) => !input.matches(":disabled"));
    /** @type {Holder[]} */
    const fields = inputs.flatMap((input) => this.#fields.get(input) ?? []);
    return [...fields, ...this.elements].filter((field) => field.form === form);
  }

  /** Leaving now would interrupt an upload, unless its field is gone already. @param {Event} event */
  #warn = (event) => {
    if ([...this.#working].some(({ isConnected }) => isConnected)) event.preventDefault();
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
