/** @import { DirectUploadFailure } from "../engine/failure.js" */
/** @import { ProgressReport } from "../types.d.ts" */
import { element, icon, ICONS, part } from "./dom.js";
import { formatDuration, formatShare, formatSize, formatSpeed, say, technical } from "../messages.js";

/** @typedef {Record<"pause" | "resume" | "retry" | "remove", () => void>} Verbs what a row's buttons do */
/** @typedef {"ready" | "busy" | "done" | "failed"} UploadState */

/** Milliseconds after which those who cannot see the progress hear of it. */
const NEWS = 15_000;

/** One file, as it is seen. */
export class Row {
  #values;
  #announce;
  #verbs;
  #isPaused = false;
  /** When those who listen heard of it last. */
  #heard = 0;
  #progress;
  #state = part("span", "state");
  #details = part("details", "details", { hidden: true });
  #pause;
  #retry;
  #remove;

  /**
   * @param {File} file
   * @param {Verbs} verbs
   * @param {(text: string) => void} announce
   */
  constructor(file, verbs, announce) {
    this.#values = { name: file.name, total: formatSize(file.size) };
    this.#announce = announce;
    this.#verbs = verbs;
    const label = say("progress", this.#values);
    this.#progress = part("progress", "progress", { max: 1, value: 0, ariaLabel: label });
    this.#pause = button("pause", () => this.#turn());
    this.#retry = button("retry", verbs.retry);
    this.#retry.append(icon(ICONS.retry), say("retry"));
    this.#remove = button("remove", verbs.remove);
    this.#remove.append(icon(ICONS.cross));
    const name = part("bdi", "name", { textContent: file.name, title: file.name });
    const about = part("div", "about", {}, name, this.#progress, this.#state, this.#details);
    this.element = element("li", {}, about, this.#pause, this.#retry, this.#remove);
    this.element.part.add("row");
    this.#enter("ready", say("ready", this.#values), "remove");
  }

  start() {
    this.#enter("busy", say("starting"), "cancel");
    this.#progress.value = 0;
    this.#offer(false);
    this.#heard = performance.now();
    this.#announce(say("started", this.#values));
  }

  /** @param {ProgressReport} report */
  report({ loaded, total, state, speed, timeLeft }) {
    const key = state === "waiting" && !navigator.onLine ? "offline" : state;
    this.#offer(state === "paused");
    this.#progress.value = total ? loaded / total : 0;
    const facts = [say(key, { ...this.#values, loaded: formatSize(loaded) })];
    if (state === "sending" && speed && timeLeft !== undefined) {
      facts.push(...[formatSpeed(speed), say("timeLeft", { time: formatDuration(timeLeft) })].map(unbroken));
    }
    this.element.toggleAttribute("data-waiting", state === "waiting");
    this.#state.textContent = facts.join("\u00a0· ");
    if (state === "sending" && performance.now() - this.#heard > NEWS) this.#tell(loaded / total);
  }

  done() {
    this.#enter("done", say("done", this.#values), "remove");
    this.#announce(say("finished", this.#values));
  }

  /**
   * @param {string} reason
   * @param {{ failure: DirectUploadFailure, isFinal: boolean }} what
   */
  fail(reason, { failure, isFinal }) {
    this.#enter("failed", reason, "remove");
    this.#retry.hidden = isFinal;
    this.#explain(failure, reason);
    if (reason) this.#announce(say("failed", { ...this.#values, reason }));
  }

  /** @param {HTMLElement} preview */
  show(preview) {
    this.element.prepend(preview);
  }

  /** @param {number} share what has arrived of it */
  #tell(share) {
    this.#heard = performance.now();
    this.#announce(say("soFar", { ...this.#values, share: formatShare(share) }));
  }

  /**
   * What a developer may want to know is there, but not in the way.
   * @param {DirectUploadFailure} failure
   * @param {string} reason
   */
  #explain(failure, reason) {
    const detail = technical(failure);
    this.#details.hidden = !reason || reason === failure.detail;
    this.#details.replaceChildren(element("summary", { textContent: say("details") }), element("p", { textContent: detail }));
  }

  /**
   * @param {UploadState} state
   * @param {string} text
   * @param {"cancel" | "remove"} verb what the cross does
   */
  #enter(state, text, verb) {
    this.element.dataset.state = state;
    this.#state.textContent = text;
    this.#progress.hidden = state !== "busy";
    this.#pause.hidden = state !== "busy";
    this.#retry.hidden = state !== "failed";
    this.#details.hidden = true;
    name(this.#remove, say(verb, this.#values));
  }

  #turn() {
    const paused = !this.#isPaused;
    if (paused) this.#verbs.pause();
    else this.#verbs.resume();
    this.#announce(say(paused ? "pausedFile" : "resumedFile", this.#values));
  }

  /** @param {boolean} isPaused whether the button offers to go on, or to pause */
  #offer(isPaused) {
    if (isPaused === this.#isPaused && this.#pause.firstChild) return;
    this.#isPaused = isPaused;
    this.element.toggleAttribute("data-paused", isPaused);
    const verb = isPaused ? "resume" : "pause";
    this.#pause.replaceChildren(icon(ICONS[verb]));
    name(this.#pause, say(verb, this.#values));
  }
}

/**
 * @param {string} verb
 * @param {() => void} press
 */
function button(verb, press) {
  const made = part("button", verb, { type: "button" });
  made.part.add("button");
  made.addEventListener("click", press);
  return made;
}

/**
 * @param {HTMLElement} button
 * @param {string} text
 */
function name(button, text) {
  button.ariaLabel = button.title = text;
}

/**
 * A number stays with its unit when a line is too short.
 * @param {string} text
 */
function unbroken(text) {
  return text.replaceAll(" ", "\u00a0");
}
