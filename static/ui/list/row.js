/** @import { DirectUploadFailure } from "../../engine/failure.js" */
/** @import { ProgressReport, RetryReport } from "../../types.d.ts" */
/** @import { View } from "../view.js" */
import { element, icon, ICONS, part } from "../dom.js";
import { preview } from "./preview.js";
import { formatDuration, formatShare, formatSize, formatSpeed, message } from "../../messages.js";

/** @typedef {{ name: HTMLElement, progress: HTMLProgressElement, state: HTMLElement, details: HTMLElement, pause: HTMLElement,
 *    retry: HTMLElement, remove: HTMLElement }} Parts */
/** @typedef {Record<"pause" | "resume" | "retry" | "remove", () => void>} RowActions what the buttons of a row do */
/** @typedef {"ready" | "busy" | "done" | "failed"} UploadState */
/** @typedef {{ name: string, size: number, type?: string, source?: URL }} Described */

/** Milliseconds between announcements of the progress to screen readers. */
const ANNOUNCE_INTERVAL = 15_000;

/** One file on the page: its name, state, progress and buttons. A row that is out of sight has no content. */
export class Row {
  element = element("li");
  isPaused = false;
  #view;
  #actions;
  /** @type {File | Described} */
  #file;
  #path;
  /** @type {UploadState} */
  #state = "ready";
  #text = "";
  #share = 0;
  #isWaiting = false;
  /** When the progress was last announced. */
  #announced = 0;
  /** What to show while the upload waits for a retry. */
  #waitingKey = "waiting";
  /** @type {{ failure: DirectUploadFailure, isFinal: boolean } | undefined} */
  #failed;
  /** @type {HTMLElement | undefined} */
  #preview;
  /** @type {Parts | undefined} */
  #parts;

  /**
   * @param {File} file
   * @param {RowActions} actions
   * @param {View} view
   * @param {string} path its place in a folder
   */
  constructor(file, actions, view, path) {
    this.#file = file;
    this.#path = path;
    this.#actions = actions;
    this.#view = view;
    this.element.part.add("row");
    this.#setState("ready", message("ready", this.#values));
  }

  get #values() {
    return { name: this.#path || this.#file.name, total: formatSize(this.#file.size) };
  }

  /**
   * Create or remove the content.
   * @param {boolean} isShown
   */
  toggle(isShown) {
    if (isShown === !!this.#parts) return;
    this.#parts = isShown ? this.#create() : undefined;
    if (!isShown) this.element.replaceChildren();
    this.#describe();
    this.#render();
  }

  /**
   * Move the focus to the first button, or to the one that removes the file.
   * @param {boolean} [isRemove]
   */
  focus(isRemove) {
    this.toggle(true);
    const { pause, retry, remove } = this.#parts ?? {};
    (isRemove ? remove : [pause, retry, remove].find((each) => each && !each.hidden))?.focus();
  }

  /**
   * Show an upload that was finished before.
   * @param {File | Described} file
   */
  restore(file) {
    this.#file = file;
    this.#preview?.replaceWith((this.#preview = preview(file)));
    this.#describe();
    this.#setState("done", message(file.size ? "done" : "finished", this.#values));
  }

  /** @param {boolean} isSilent */
  start(isSilent) {
    this.#share = 0;
    this.isPaused = false;
    this.#announced = performance.now();
    this.#setState("busy", message(this.#view.isMany ? "queued" : "starting"));
    if (!isSilent) this.#view.announceOne(message("started", this.#values));
  }

  /**
   * Show the progress.
   * @param {Pick<ProgressReport, "loaded" | "total" | "state"> & Partial<ProgressReport>} report
   */
  report({ loaded, total, state, speed, timeLeft }) {
    const isQueued = this.#view.isMany && !loaded && total > 0 && (state === "starting" || state === "sending");
    const key = isQueued ? "queued" : state !== "waiting" ? state : navigator.onLine ? this.#waitingKey : "offline";
    this.isPaused = state === "paused";
    this.#isWaiting = state === "waiting";
    this.#share = total ? loaded / total : 0;
    const parts = [message(key, { ...this.#values, loaded: formatSize(loaded) })];
    if (state === "sending" && speed && timeLeft !== undefined) {
      parts.push(...[formatSpeed(speed), message("timeLeft", { time: formatDuration(timeLeft) })].map(withoutBreaks));
    }
    this.#text = parts.join("\u00a0· ");
    this.#render();
    if (state === "sending" && performance.now() - this.#announced > ANNOUNCE_INTERVAL) this.#announceProgress();
  }

  /**
   * Tell a server that doesn't answer from a lost connection.
   * @param {RetryReport} report
   */
  retry({ failure: { status } }) {
    this.#waitingKey = status >= 500 ? "notResponding" : "waiting";
    if (!this.#isWaiting || !navigator.onLine) return;
    this.#text = message(this.#waitingKey);
    this.#render();
  }

  done() {
    this.#setState("done", message("done", this.#values));
    this.#view.announceOne(message("finished", this.#values));
  }

  /**
   * @param {string} reason
   * @param {{ failure: DirectUploadFailure, isFinal: boolean }} about
   */
  fail(reason, about) {
    this.#failed = about;
    this.#setState("failed", reason);
    if (reason) this.#view.announceOne(message("failed", { ...this.#values, reason }));
  }

  /** @param {UploadState} state @param {string} text */
  #setState(state, text) {
    this.#state = this.element.dataset.state = state;
    this.#text = text;
    this.#isWaiting = false;
    if (state !== "busy") this.isPaused = false;
    this.#render();
  }

  #announceProgress() {
    this.#announced = performance.now();
    this.#view.announceOne(message("soFar", { ...this.#values, share: formatShare(this.#share) }));
  }

  /** @returns {Parts} */
  #create() {
    const parts = {
      name: part("bdi", "name"),
      progress: part("progress", "progress", { max: 1 }),
      state: part("span", "state"),
      details: part("details", "details"),
      pause: button("pause", () => this.#togglePause()),
      retry: button("retry", this.#actions.retry),
      remove: button("remove", this.#actions.remove),
    };
    const { name, progress, state, details, pause, retry, remove } = parts;
    retry.append(icon(ICONS.retry), message("retry"));
    remove.append(icon(ICONS.cross));
    this.#preview ??= preview(this.#file);
    this.element.append(this.#preview, part("div", "about", {}, name, progress, state, details), pause, retry, remove);
    return parts;
  }

  /** Show the name. Its end stays visible however narrow the row is. */
  #describe() {
    if (!this.#parts) return;
    const { name } = this.#values;
    const end = name.length > END ? name.length - END : 0;
    this.#parts.name.replaceChildren(element("span", { textContent: name.slice(0, end) }), name.slice(end));
    this.#parts.name.title = name;
    this.#parts.progress.ariaLabel = message("progress", this.#values);
  }

  #render() {
    if (!this.#parts) return;
    const { progress, state, details, pause, retry, remove } = this.#parts;
    const isBusy = this.#state === "busy";
    const hadFocus = this.element.contains(activeIn(this.element));
    progress.value = this.#share;
    state.textContent = this.#text;
    progress.hidden = pause.hidden = !isBusy;
    retry.hidden = this.#state !== "failed" || !!this.#failed?.isFinal;
    this.element.toggleAttribute("data-paused", this.isPaused);
    this.element.toggleAttribute("data-waiting", this.#isWaiting);
    label(remove, message(isBusy ? "cancel" : "remove", this.#values));
    this.#renderPause(pause);
    this.#renderDetails(details);
    if (hadFocus && !this.element.querySelector(":focus")?.checkVisibility()) this.focus();
  }

  /** @param {HTMLElement} pause */
  #renderPause(pause) {
    const action = this.isPaused ? "resume" : "pause";
    if (pause.dataset.action !== action) pause.replaceChildren(icon(ICONS[action]));
    pause.dataset.action = action;
    label(pause, message(action, this.#values));
  }

  /**
   * Offer the technical details to developers, folded away.
   * @param {HTMLElement} details
   */
  #renderDetails(details) {
    const failure = this.#state === "failed" && this.#text ? this.#failed?.failure : undefined;
    details.hidden = true;
    if (!failure || this.#text === failure.detail) return;
    import("./details.js").then(({ fill }) => {
      fill(details, failure);
      details.hidden = this.#state !== "failed" || this.#failed?.failure !== failure;
    }, () => undefined); // optional
  }

  #togglePause() {
    const { isPaused } = this;
    if (isPaused) this.#actions.resume();
    else this.#actions.pause();
    this.#view.announceOne(message(isPaused ? "resumedFile" : "pausedFile", this.#values));
  }
}

/** Characters at the end of a name that are never cut off: an extension, and a little more. */
const END = 9;

/** @param {Element} element */
export function activeIn(element) {
  return /** @type {Document | ShadowRoot} */ (element.getRootNode()).activeElement ?? null;
}

/**
 * @param {string} name
 * @param {() => void} onclick
 */
export function button(name, onclick) {
  const created = part("button", name, { type: "button", onclick });
  created.part.add("button");
  return created;
}

/**
 * @param {HTMLElement} button
 * @param {string} text
 */
function label(button, text) {
  if (button.title !== text) button.ariaLabel = button.title = text;
}

/**
 * Keep a number and its unit on one line.
 * @param {string} text
 */
function withoutBreaks(text) {
  return text.replaceAll(" ", "\u00a0");
}
