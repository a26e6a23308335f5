// Files are chosen, dropped and pasted here.
/** @import { Rules } from "./checks.js" */
/** @import { Chosen } from "../list/upload-list.js" */
import { describe, describeTypes } from "./checks.js";
import { element, icon, ICONS, part } from "../dom.js";
import { formatSize, message } from "../../messages.js";

/**
 * @typedef {object} Receiver
 * @property {(chosen: Chosen[]) => void} add
 * @property {(key: string, text: string) => void} notify
 */

const EDITABLE = "input, textarea, [contenteditable]";

/** The zones in the page. @type {Set<DropZone>} */
const zones = new Set();

export class DropZone {
  #host;
  #receiver;
  #input = element("input", { type: "file", hidden: true, tabIndex: -1, ariaHidden: "true" });
  #prompt = element("span");
  #hint = part("span", "hint");
  #connected = new AbortController();

  /**
   * @param {HTMLElement} host
   * @param {Receiver} receiver
   */
  constructor(host, receiver) {
    this.#host = host;
    this.#receiver = receiver;
    const slot = element("slot", { name: "prompt" }, this.#prompt);
    const text = part("span", "prompt", {}, slot, this.#hint);
    this.button = part("button", "zone", { type: "button", onclick: () => this.pick() }, icon(ICONS.upload), text);
    this.element = element("div", {}, this.button, this.#input);
    this.#input.onchange = () => this.#onChange();
  }

  /**
   * Show the prompt and the limits.
   * @param {Rules & { multiple: boolean }} rules
   */
  async describe({ accept, maxSize, multiple }) {
    Object.assign(this.#input, { accept, multiple, webkitdirectory: this.#host.hasAttribute("webkitdirectory") });
    const capture = this.#host.getAttribute("capture");
    if (capture !== null) this.#input.setAttribute("capture", capture);
    this.#prompt.textContent = this.#promptText;
    const show = (/** @type {string} */ types) => {
      const limits = [types, maxSize < Infinity && message("upTo", { max: formatSize(maxSize) })];
      this.#hint.textContent = capitalize(limits.filter(Boolean).join(" · "));
    };
    show(describe(accept));
    const types = await describeTypes(accept);
    if (accept === this.#input.accept) show(types);
  }

  /** What to do. A device that has only a finger can drop nothing. */
  get #promptText() {
    const { multiple, webkitdirectory } = this.#input;
    if (webkitdirectory) return message("promptFolder");
    const isTouch = matchMedia("(hover: none) and (pointer: coarse)").matches;
    return message(isTouch ? (multiple ? "touchSeveral" : "touchOne") : multiple ? "promptSeveral" : "promptOne");
  }

  /** Open the browser's file dialog. */
  pick() {
    if (!this.button.disabled) this.#input.click();
  }

  connect() {
    const { signal } = (this.#connected = new AbortController());
    const host = this.#host;
    zones.add(this);
    for (const type of /** @type {const} */ (["dragenter", "dragover"])) {
      host.addEventListener(type, (event) => this.over(event), { signal });
    }
    host.addEventListener("dragleave", (event) => this.#onDragLeave(event), { signal });
    host.addEventListener("drop", (event) => this.drop(event), { signal });
    if (host.hasAttribute("page-drop")) void import("./page-drop.js").then(({ dropOnPage }) => dropOnPage(signal, this));
    for (const type of /** @type {const} */ (["dragover", "drop"])) addEventListener(type, preventNavigation, { signal });
    document.addEventListener("paste", (event) => this.#onPaste(event), { signal });
  }

  disconnect() {
    zones.delete(this);
    this.#connected.abort();
  }

  #onChange() {
    const files = [...(this.#input.files ?? [])];
    this.#input.value = ""; // the same file can be chosen again
    this.#receiver.add(files.map((file) => ({ file })));
  }

  /** @param {DragEvent} event */
  over(event) {
    if (this.button.disabled || !hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    this.#setDragging(true);
  }

  /** @param {DragEvent} event */
  #onDragLeave({ relatedTarget }) {
    if (!(relatedTarget instanceof Node && this.#host.contains(relatedTarget))) this.leave();
  }

  /** @param {DragEvent} event */
  drop(event) {
    this.leave();
    if (this.button.disabled || !hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    this.#addFiles(event.dataTransfer);
  }

  /**
   * Take files that are pasted elsewhere only when no other element could want them.
   * @param {ClipboardEvent} event
   */
  #onPaste(event) {
    if (this.button.disabled || event.defaultPrevented || !hasFiles(event.clipboardData)) return;
    const path = event.composedPath();
    const isElsewhere = zones.size > 1 || path.some((target) => target instanceof Element && target.matches(EDITABLE));
    if (!path.includes(this.#host) && isElsewhere) return;
    event.preventDefault();
    this.#addFiles(event.clipboardData);
  }

  /** @param {DataTransfer | null} data */
  #addFiles(data) {
    const items = [...(data?.items ?? [])].filter(({ kind }) => kind === "file");
    const folders = items.flatMap((item) => item.webkitGetAsEntry() ?? []).filter(({ isDirectory }) => isDirectory);
    const files = items.filter((item) => !item.webkitGetAsEntry()?.isDirectory).flatMap((item) => item.getAsFile() ?? []);
    this.#receiver.add(files.map((file) => ({ file })));
    if (!folders.length) return;
    if (this.#input.multiple || this.#input.webkitdirectory) void this.#addFolders(folders);
    else this.#receiver.notify("folder", message("folder"));
  }

  /** @param {FileSystemEntry[]} folders */
  async #addFolders(folders) {
    const { readEntries } = await import("./folders.js");
    this.#receiver.add(await readEntries(folders));
  }

  leave() {
    this.#setDragging(false);
  }

  /** @param {boolean} isDragging */
  #setDragging(isDragging) {
    if (isDragging === this.button.part.contains("dragging")) return;
    this.button.part.toggle("dragging", isDragging);
    this.button.toggleAttribute("data-dragging", isDragging);
    this.#prompt.textContent = isDragging ? message("dropping") : this.#promptText;
  }
}

/**
 * Capitalize the first letter. CSS's `::first-letter` would separate it from the next one in Arabic.
 * @param {string} text
 */
function capitalize(text) {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

/** @param {DataTransfer | null} data */
function hasFiles(data) {
  return !!data?.types.includes("Files");
}

/** Keep a file that is dropped beside the zone from replacing the page. @param {DragEvent} event */
function preventNavigation(event) {
  if (event.defaultPrevented || !hasFiles(event.dataTransfer)) return;
  if (event.composedPath().some((target) => target instanceof HTMLInputElement)) return;
  event.preventDefault();
  if (event.dataTransfer) event.dataTransfer.dropEffect = "none";
}
