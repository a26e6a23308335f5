/** @import { Upload } from "./file-upload.js" */
/** @import { FieldListener, UploadField } from "./form.js" */
import { parseSize } from "./checks.js";
import { element } from "./dom.js";
import { adoptStyles } from "./row-styles.js";
import { message } from "../messages.js";
import { UploadList } from "./upload-list.js";
import { View } from "./view.js";

/**
 * A file input with `data-direct-upload`, and the uploads of its files.
 * @implements {UploadField}
 */
export class FileInput {
  #input;
  #listener;
  #view = new View();
  #uploads;
  #isInvalid = false;

  /**
   * @param {HTMLInputElement} input
   * @param {Upload} upload
   * @param {FieldListener} listener
   */
  constructor(input, upload, listener) {
    adoptStyles(document);
    this.#input = input;
    this.#listener = listener;
    this.#uploads = new UploadList({
      host: input,
      view: this.#view,
      upload,
      onchange: () => this.#update(),
      ondone: ({ receipt, row }) => row.element.append(hiddenInput(input, receipt)),
      onremove: () => this.#onRemove(),
    });
  }

  get form() {
    return this.#input.form;
  }

  get isConnected() {
    return this.#input.isConnected;
  }

  get isBusy() {
    return this.#uploads.isBusy;
  }

  get isReady() {
    return this.#uploads.inState("ready").length > 0;
  }

  get hasFailed() {
    return this.#uploads.inState("failed").length > 0;
  }

  get finished() {
    return this.#uploads.inState("done");
  }

  /** Replace the uploads by those of the files that are chosen now. */
  choose() {
    this.#uploads.clear();
    const files = [...(this.#input.files ?? [])];
    if (!files.length) return this.clear();
    (this.#input.closest("label") ?? this.#input).after(this.#view.rows, this.#view.liveRegion);
    this.#uploads.add(files, { accept: this.#input.accept, maxSize: parseSize(this.#input.dataset.maxSize) });
    if (this.#input.dataset.directUpload === "submit") this.#update();
    else this.begin();
  }

  begin() {
    this.#uploads.start();
  }

  /** Remove all files. */
  clear() {
    this.#uploads.clear();
    this.#listener.oncancel(this);
    this.#update();
  }

  /** Announce that the form waits for this field. */
  announceHold() {
    this.#view.announce(message("held"), true);
  }

  #onRemove() {
    this.#input.files = createFileList(this.#uploads.files);
    this.#input.focus();
    this.#listener.oncancel(this);
    this.#update();
  }

  /** A failed upload makes the field invalid, so that the form cannot be submitted without the file. */
  #update() {
    const [failed] = this.#uploads.inState("failed");
    if (failed || this.#isInvalid) this.#input.setCustomValidity(failed?.validationMessage ?? "");
    this.#isInvalid = !!failed;
    this.#listener.onchange(this);
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
function createFileList(files) {
  const transfer = new DataTransfer();
  for (const file of files) transfer.items.add(file);
  return transfer.files;
}
