// Where files are chosen, dropped and pasted.
/** @import { Rules } from "./checks.js" */
import { describe } from "./checks.js";
import { element, icon, ICONS, part } from "./dom.js";
import { formatSize, say } from "../messages.js";

/**
 * @typedef {object} Taker
 * @property {(files: File[]) => void} take
 * @property {(text: string) => void} complain
 */

export class Zone {
  #host;
  #taker;
  #input = element("input", { type: "file", hidden: true, tabIndex: -1, ariaHidden: "true" });
  #prompt = element("span");
  #hint = part("span", "hint");
  #connected = new AbortController();

  /**
   * @param {HTMLElement} host
   * @param {Taker} taker
   */
  constructor(host, taker) {
    this.#host = host;
    this.#taker = taker;
    const slot = element("slot", { name: "prompt" }, this.#prompt);
    const text = part("span", "prompt", {}, slot, this.#hint);
    this.button = part("button", "zone", { type: "button" }, icon(ICONS.upload), text);
    this.element = element("div", {}, this.button, this.#input);
    this.button.addEventListener("click", () => this.pick());
    this.#input.addEventListener("change", () => this.#picked());
  }

  /**
   * @param {Rules & { multiple: boolean }} rules
   */
  describe({ accept, maxSize, multiple }) {
    this.#input.accept = accept;
    this.#input.multiple = multiple;
    this.#prompt.textContent = say(multiple ? "promptSeveral" : "promptOne");
    const limits = [describe(accept), maxSize < Infinity && say("upTo", { max: formatSize(maxSize) })];
    this.#hint.textContent = capitalized(limits.filter(Boolean).join(" · "));
  }

  /** Opens the browser's own window for choosing. */
  pick() {
    if (!this.button.disabled) this.#input.click();
  }

  connect() {
    const { signal } = (this.#connected = new AbortController());
    const host = this.#host;
    for (const type of /** @type {const} */ (["dragenter", "dragover"])) {
      host.addEventListener(type, (event) => this.#over(event), { signal });
    }
    host.addEventListener("dragleave", (event) => this.#left(event), { signal });
    host.addEventListener("drop", (event) => this.#dropped(event), { signal });
    for (const type of /** @type {const} */ (["dragover", "drop"])) addEventListener(type, missed, { signal });
    document.addEventListener("paste", (event) => this.#pasted(event), { signal });
  }

  disconnect() {
    this.#connected.abort();
  }

  #picked() {
    const files = [...(this.#input.files ?? [])];
    this.#input.value = ""; // the same file can be chosen again
    if (files.length) this.#taker.take(files);
  }

  /** @param {DragEvent} event */
  #over(event) {
    if (this.button.disabled || !hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    this.#mark(true);
  }

  /** @param {DragEvent} event */
  #left({ relatedTarget }) {
    if (!(relatedTarget instanceof Node && this.#host.contains(relatedTarget))) this.#mark(false);
  }

  /** @param {DragEvent} event */
  #dropped(event) {
    this.#mark(false);
    if (this.button.disabled || !hasFiles(event.dataTransfer)) return;
    event.preventDefault();
    this.#take(event.dataTransfer);
  }

  /**
   * What is pasted outside of the element is for it only when it is for nothing else.
   * @param {ClipboardEvent} event
   */
  #pasted(event) {
    if (this.button.disabled || event.defaultPrevented || !hasFiles(event.clipboardData)) return;
    const target = /** @type {Element} */ (event.target);
    const isAlone = document.querySelectorAll("direct-upload").length === 1;
    const isElsewhere = target.closest("input, textarea, [contenteditable]") || !isAlone;
    if (target !== this.#host && !this.#host.contains(target) && isElsewhere) return;
    event.preventDefault();
    this.#take(event.clipboardData);
  }

  /** @param {DataTransfer | null} data */
  #take(data) {
    const items = [...(data?.items ?? [])].filter(({ kind }) => kind === "file");
    const isFolder = items.some((item) => item.webkitGetAsEntry()?.isDirectory);
    const files = items.filter((item) => !item.webkitGetAsEntry()?.isDirectory).flatMap((item) => item.getAsFile() ?? []);
    if (isFolder) this.#taker.complain(say("folder"));
    if (files.length) this.#taker.take(files);
  }

  /** @param {boolean} isDragging */
  #mark(isDragging) {
    if (isDragging === this.button.part.contains("dragging")) return;
    this.button.part.toggle("dragging", isDragging);
    this.button.toggleAttribute("data-dragging", isDragging);
    this.#prompt.textContent = say(isDragging ? "dropping" : this.#input.multiple ? "promptSeveral" : "promptOne");
  }
}

/**
 * Not by CSS, whose first letter is torn from the next in Arabic.
 * @param {string} text
 */
function capitalized(text) {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}

/** @param {DataTransfer | null} data */
function hasFiles(data) {
  return !!data?.types.includes("Files");
}

/** A file that missed its place must not replace the page. @param {DragEvent} event */
function missed(event) {
  if (event.defaultPrevented || !hasFiles(event.dataTransfer)) return;
  if (event.composedPath().some((target) => target instanceof HTMLInputElement)) return;
  event.preventDefault();
  if (event.dataTransfer) event.dataTransfer.dropEffect = "none";
}
