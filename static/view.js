/** @import { ProgressReport } from "./types.d.ts" */
import { wear } from "./looks.js";
import { formatSize, say } from "./messages.js";

/** What is seen of an input's uploads: a row for each, and news for those who listen. */
export class View {
  #input;
  #rows = element("ul", { className: "direct-upload" });
  #news = element("p", { className: "direct-upload-news direct-upload-heard", role: "status" });

  /** @param {HTMLInputElement} input */
  constructor(input) {
    wear();
    this.#input = input;
    this.place();
  }

  /** Beside the input, wherever that is now. */
  place() {
    (this.#input.closest("label") ?? this.#input).after(this.#rows, this.#news);
  }

  /**
   * @param {File} file
   * @param {{ remove: () => void, retry: () => void }} actions
   */
  add(file, actions) {
    const row = new Row(file, actions, (text) => this.announce(text));
    this.#rows.append(row.element);
    return row;
  }

  /**
   * @param {string} text
   * @param {boolean} [isSeen] whether it is news for those who see the rows too
   */
  announce(text, isSeen = false) {
    this.#news.textContent = text;
    this.#news.classList.toggle("direct-upload-heard", !isSeen);
  }
}

export class Row {
  #values;
  #announce;
  #progress;
  #state = element("span", { className: "direct-upload-state" });
  #retry;
  #remove;

  /**
   * @param {File} file
   * @param {{ remove: () => void, retry: () => void }} actions
   * @param {(text: string) => void} announce
   */
  constructor(file, { remove, retry }, announce) {
    this.#values = { name: file.name, total: formatSize(file.size) };
    this.#announce = announce;
    this.#progress = element("progress", { max: 1, value: 0, ariaLabel: say("progress", this.#values) });
    this.#retry = button("retry", say("retry"), retry);
    this.#remove = button("remove", "✕", remove);
    const about = element("div", { className: "direct-upload-about" });
    about.append(element("bdi", { textContent: file.name, title: file.name }), this.#progress, this.#state);
    this.element = element("li");
    this.element.append(about, this.#retry, this.#remove);
  }

  start() {
    this.#enter("busy", say("starting"), "cancel");
    this.#progress.value = 0;
    this.#announce(say("started", this.#values));
  }

  /** @param {ProgressReport} report */
  report({ loaded, total, state }) {
    const key = state === "waiting" && !navigator.onLine ? "offline" : state;
    this.#progress.value = total ? loaded / total : 0;
    this.#state.textContent = say(key, { ...this.#values, loaded: formatSize(loaded) });
  }

  done() {
    this.#enter("done", say("done", this.#values), "remove");
    this.#announce(say("finished", this.#values));
  }

  /** @param {string} reason */
  fail(reason) {
    this.#enter("failed", reason, "remove");
    if (reason) this.#announce(say("failed", { ...this.#values, reason }));
  }

  /**
   * @param {"busy" | "done" | "failed"} state
   * @param {string} text
   * @param {"cancel" | "remove"} verb what the cross does
   */
  #enter(state, text, verb) {
    this.element.dataset.state = state;
    this.#state.textContent = text;
    this.#progress.hidden = state !== "busy";
    this.#retry.hidden = state !== "failed";
    this.#remove.ariaLabel = this.#remove.title = say(verb, this.#values);
  }
}

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Partial<HTMLElementTagNameMap[Name]>} [properties]
 */
function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}

/**
 * @param {string} name
 * @param {string} label
 * @param {() => void} press
 */
function button(name, label, press) {
  const made = element("button", { type: "button", className: `direct-upload-${name}`, textContent: label });
  made.addEventListener("click", press);
  return made;
}
