/** @import { Upload } from "./file-upload.js" */
/** @import { Holder, Listener } from "./form.js" */
import { Batch } from "./file-list.js";
import { parseSize } from "./checks.js";
import { element } from "./dom.js";
import { wear } from "./row-styles.js";
import { say } from "../messages.js";
import { View } from "./view.js";

/**
 * A plain file input, and the uploads of the files that were chosen with it.
 * @implements {Holder}
 */
export class Field {
  #input;
  #listener;
  #view = new View();
  #batch;
  #isInvalid = false;

  /**
   * @param {HTMLInputElement} input
   * @param {Upload} upload
   * @param {Listener} listener
   */
  constructor(input, upload, listener) {
    wear(document);
    this.#input = input;
    this.#listener = listener;
    this.#batch = new Batch({
      host: input,
      view: this.#view,
      upload,
      changed: () => this.#settle(),
      finished: ({ receipt, row }) => row.element.append(hiddenInput(input, receipt)),
      removed: () => this.#removed(),
    });
  }

  get form() {
    return this.#input.form;
  }

  get isConnected() {
    return this.#input.isConnected;
  }

  get isBusy() {
    return this.#batch.isBusy;
  }

  get isWaiting() {
    return this.#batch.in("ready").length > 0;
  }

  get hasFailed() {
    return this.#batch.in("failed").length > 0;
  }

  get finished() {
    return this.#batch.in("done");
  }

  /** Takes what is chosen now, instead of what was before. */
  choose() {
    this.#batch.clear();
    const files = [...(this.#input.files ?? [])];
    if (!files.length) return this.clear();
    (this.#input.closest("label") ?? this.#input).after(this.#view.rows, this.#view.news);
    this.#batch.add(files, { accept: this.#input.accept, maxSize: parseSize(this.#input.dataset.maxSize) });
    if (this.#input.dataset.directUpload === "submit") this.#settle();
    else this.begin();
  }

  begin() {
    this.#batch.start();
  }

  /** Nothing is chosen any more. */
  clear() {
    this.#batch.clear();
    this.#listener.cancelled(this);
    this.#settle();
  }

  /** A form was submitted, and waits. */
  announceHold() {
    this.#view.announce(say("held"), true);
  }

  #removed() {
    this.#input.files = listOf(this.#batch.files);
    this.#input.focus();
    this.#listener.cancelled(this);
    this.#settle();
  }

  /** A failed upload makes the field invalid, as HTML has it: the form cannot be submitted with half of its data. */
  #settle() {
    const [failed] = this.#batch.in("failed");
    if (failed || this.#isInvalid) this.#input.setCustomValidity(failed?.complaint ?? "");
    this.#isInvalid = !!failed;
    this.#listener.changed(this);
  }
}

/**
 * @param {HTMLInputElement} input
 * @param {string} value
 */
function hiddenInput(input, value) {
  const hidden = element("input", { type: "hidden", name: input.name, value });
  const form = input.getAttribute("form");
  if (form !== null) hidden.setAttribute("form", form);
  return hidden;
}

/** @param {File[]} files */
function listOf(files) {
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(file);
  return transfer.files;
}
