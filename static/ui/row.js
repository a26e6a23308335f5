/** @import { DirectUploadFailure } from "../engine/failure.js" */
/** @import { ProgressReport, RetryReport } from "../types.d.ts" */
import { element, icon, ICONS, part } from "./dom.js";
import { formatDuration, formatShare, formatSize, formatSpeed, message, formatFailure } from "../messages.js";

/** @typedef {Record<"pause" | "resume" | "retry" | "remove", () => void>} RowActions what the buttons of a row do */
/** @typedef {"ready" | "busy" | "done" | "failed"} UploadState */

/** Milliseconds between announcements of the progress to screen readers. */
const ANNOUNCE_INTERVAL = 15_000;

/** One file on the page: its name, state, progress and buttons. */
export class Row {
  #values;
  #announce;
  #actions;
  #isPaused = false;
  /** When the progress was last announced. */
  #announced = 0;
  /** What to show while the upload waits for a retry. */
  #waitingKey = "waiting";
  #name = part("bdi", "name");
  #progress;
  #state = part("span", "state");
  #details = part("details", "details", { hidden: true });
  #pause;
  #retry;
  #remove;

  /**
   * @param {{ name: string, size: number }} file
   * @param {RowActions} actions
   * @param {(text: string) => void} announce
   */
  constructor(file, actions, announce) {
    this.#values = this.#describe(file);
    this.#announce = announce;
    this.#actions = actions;
    this.#progress = part("progress", "progress", { max: 1, value: 0, ariaLabel: message("progress", this.#values) });
    this.#pause = button("pause", () => this.#togglePause());
    this.#retry = button("retry", actions.retry);
    this.#retry.append(icon(ICONS.retry), message("retry"));
    this.#remove = button("remove", actions.remove);
    this.#remove.append(icon(ICONS.cross));
    const about = part("div", "about", {}, this.#name, this.#progress, this.#state, this.#details);
    this.element = element("li", {}, about, this.#pause, this.#retry, this.#remove);
    this.element.part.add("row");
    this.#setState("ready", message("ready", this.#values), "remove");
  }

  /**
   * Show an upload that was finished before.
   * @param {{ name: string, size: number }} file
   */
  restore(file) {
    this.#values = this.#describe(file);
    this.#setState("done", message(file.size ? "done" : "finished", this.#values), "remove");
  }

  /** @param {{ name: string, size: number }} file */
  #describe({ name, size }) {
    this.#name.textContent = this.#name.title = name;
    return { name, total: formatSize(size) };
  }

  start() {
    this.#setState("busy", message("starting"), "cancel");
    this.#progress.value = 0;
    this.#showPaused(false);
    this.#announced = performance.now();
    this.#announce(message("started", this.#values));
  }

  /**
   * Show the progress.
   * @param {ProgressReport} report
   */
  report({ loaded, total, state, speed, timeLeft }) {
    const key = state !== "waiting" ? state : navigator.onLine ? this.#waitingKey : "offline";
    this.#showPaused(state === "paused");
    this.#progress.value = total ? loaded / total : 0;
    const parts = [message(key, { ...this.#values, loaded: formatSize(loaded) })];
    if (state === "sending" && speed && timeLeft !== undefined) {
      parts.push(...[formatSpeed(speed), message("timeLeft", { time: formatDuration(timeLeft) })].map(withoutBreaks));
    }
    this.element.toggleAttribute("data-waiting", state === "waiting");
    this.#state.textContent = parts.join("\u00a0· ");
    if (state === "sending" && performance.now() - this.#announced > ANNOUNCE_INTERVAL) this.#announceProgress(loaded / total);
  }

  /**
   * Tell a server that doesn't answer from a lost connection.
   * @param {RetryReport} report
   */
  retry({ failure: { status } }) {
    this.#waitingKey = status >= 500 ? "notResponding" : "waiting";
    if (this.element.hasAttribute("data-waiting") && navigator.onLine) this.#state.textContent = message(this.#waitingKey);
  }

  done() {
    this.#setState("done", message("done", this.#values), "remove");
    this.#announce(message("finished", this.#values));
  }

  /**
   * @param {string} reason
   * @param {{ failure: DirectUploadFailure, isFinal: boolean }} about
   */
  fail(reason, { failure, isFinal }) {
    this.#setState("failed", reason, "remove");
    this.#retry.hidden = isFinal;
    this.#showDetails(failure, reason);
    if (reason) this.#announce(message("failed", { ...this.#values, reason }));
  }

  /** @param {HTMLElement} preview */
  showPreview(preview) {
    this.element.prepend(preview);
  }

  /** @param {number} share between 0 and 1 */
  #announceProgress(share) {
    this.#announced = performance.now();
    this.#announce(message("soFar", { ...this.#values, share: formatShare(share) }));
  }

  /**
   * Offer the technical details to developers, folded away.
   * @param {DirectUploadFailure} failure
   * @param {string} reason
   */
  #showDetails(failure, reason) {
    const detail = formatFailure(failure);
    this.#details.hidden = !reason || reason === failure.detail;
    this.#details.replaceChildren(element("summary", { textContent: message("details") }), element("p", { textContent: detail }));
  }

  /**
   * @param {UploadState} state
   * @param {string} text
   * @param {"cancel" | "remove"} action what the cross button does
   */
  #setState(state, text, action) {
    this.element.dataset.state = state;
    this.#state.textContent = text;
    this.#progress.hidden = state !== "busy";
    this.#pause.hidden = state !== "busy";
    this.#retry.hidden = state !== "failed";
    this.#details.hidden = true;
    label(this.#remove, message(action, this.#values));
  }

  #togglePause() {
    const paused = !this.#isPaused;
    if (paused) this.#actions.pause();
    else this.#actions.resume();
    this.#announce(message(paused ? "pausedFile" : "resumedFile", this.#values));
  }

  /** @param {boolean} isPaused whether the button resumes or pauses */
  #showPaused(isPaused) {
    if (isPaused === this.#isPaused && this.#pause.firstChild) return;
    this.#isPaused = isPaused;
    this.element.toggleAttribute("data-paused", isPaused);
    const action = isPaused ? "resume" : "pause";
    this.#pause.replaceChildren(icon(ICONS[action]));
    label(this.#pause, message(action, this.#values));
  }
}

/**
 * @param {string} name
 * @param {() => void} onclick
 */
function button(name, onclick) {
  const created = part("button", name, { type: "button" });
  created.part.add("button");
  created.addEventListener("click", onclick);
  return created;
}

/**
 * @param {HTMLElement} button
 * @param {string} text
 */
function label(button, text) {
  button.ariaLabel = button.title = text;
}

/**
 * Keep a number and its unit on one line.
 * @param {string} text
 */
function withoutBreaks(text) {
  return text.replaceAll(" ", "\u00a0");
}
