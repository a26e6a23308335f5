// What a field has in addition when it has more than a few files: one line about the whole, with one voice for screen
// readers, and a list with one tab stop, whose rows have content only while they are in sight.
/** @import { UploadList } from "./upload-list.js" */
/** @import { View } from "../view.js" */
import { MovingAverage } from "../../engine/moving-average.js";
import { addMessages, formatDuration, formatSize, formatSizes, message } from "../../messages.js";
import { element, part } from "../dom.js";
import { activeIn, button } from "./row.js";
import { MANY_STYLES } from "./many-styles.js";
import { adoptStyles } from "./row-styles.js";

addMessages({
  doneAll: "{count} uploaded",
  failedAll: "{count} failed",
  pauseAll: "Pause all",
  resumeAll: "Resume all",
  cancelAll: "Cancel all",
  retryAll: "Retry all",
  arrows: "Use the arrow keys to move between files.",
});

/** Milliseconds between updates of the line, and between announcements of the progress. */
const INTERVAL = 250;
const ANNOUNCE_INTERVAL = 15_000;
const BUTTONS = "button:not([hidden]), summary";

/** @typedef {Record<"ready" | "busy" | "done" | "failed" | "paused" | "retryable" | "all" | "loaded" | "total", number>} Count */

export class Many {
  #view;
  #uploads;
  #progress = part("progress", "total", { max: 1 });
  #text = part("span", "whole");
  #buttons;
  #isBusy = false;
  #announced = 0;
  #started = performance.now();
  #speed = new MovingAverage(performance.now());
  #loaded = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** The row that the Tab key reaches. @type {Element | null} */
  #current = null;
  #inSight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) this.#toggle(target, isIntersecting);
  }, { rootMargin: "200px 0px" });

  /**
   * @param {View} view
   * @param {UploadList} uploads
   */
  constructor(view, uploads) {
    this.#view = view;
    this.#uploads = uploads;
    const busy = () => uploads.inState("busy");
    this.#buttons = {
      pauseAll: this.#createButton("pauseAll", () => busy().forEach((each) => each.pause())),
      resumeAll: this.#createButton("resumeAll", () => busy().forEach((each) => each.resume())),
      retryAll: this.#createButton("retryAll", () => uploads.start(uploads.inState("failed").filter(({ isFinal }) => !isFinal))),
      cancelAll: this.#createButton("cancelAll", () => this.#cancel()),
    };
    const about = part("div", "about", {}, this.#text, this.#progress);
    const buttons = element("div", { className: "direct-upload-buttons" }, ...Object.values(this.#buttons));
    this.element = part("div", "summary", {}, about, buttons);
    this.element.classList.add("direct-upload");
    this.#progress.ariaLabel = message("files");
    adoptStyles(/** @type {Document | ShadowRoot} */ (view.rows.getRootNode()), MANY_STYLES);
    view.rows.classList.add("direct-upload-many");
    view.rows.tabIndex = -1; // in Firefox, what scrolls is a tab stop of its own
    view.rows.ariaDescription = message("arrows");
    view.rows.addEventListener("keydown", (event) => this.#onKey(event));
    view.rows.addEventListener("focusin", ({ target }) => this.#setCurrent(rowAround(target)));
    for (const row of view.rows.children) this.observe(row);
  }

  /** @param {Element} row */
  observe(row) {
    this.#inSight.observe(row);
    this.#setTabStops(row);
  }

  /** @param {Element} row */
  unobserve(row) {
    this.#inSight.unobserve(row);
    if (row === this.#current) this.#setCurrent(row.nextElementSibling ?? row.previousElementSibling);
  }

  /** Update the line soon, but not for each change. */
  update() {
    if (!this.#isBusy && this.#uploads.isBusy) this.#onStart();
    this.#timer ??= setTimeout(() => this.#render(), this.#isBusy && this.#uploads.isBusy ? INTERVAL : 0);
  }

  #onStart() {
    this.#isBusy = true;
    this.#started = this.#announced = performance.now();
    this.#loaded = this.#count().loaded;
    this.#speed = new MovingAverage(this.#started);
  }

  /** @returns {Count} */
  #count() {
    const count = { ready: 0, busy: 0, done: 0, failed: 0, paused: 0, retryable: 0, all: 0, loaded: 0, total: 0 };
    for (const { state, loaded, size, isPaused, isFinal } of this.#uploads.uploads) {
      count.all += 1;
      count[state] += 1;
      if (state === "failed") {
        count.retryable += Number(!isFinal);
        continue;
      }
      count.loaded += loaded;
      count.total += size;
      if (isPaused) count.paused += 1;
    }
    return count;
  }

  #render() {
    this.#timer = undefined;
    const count = this.#count();
    const wasBusy = this.#isBusy;
    this.#isBusy = count.busy > 0;
    const texts = this.#isBusy ? this.#progressTexts(count) : resultTexts(count);
    this.element.hidden = !count.all;
    this.element.toggleAttribute("data-complete", !!count.done && !count.busy && !count.failed && !count.ready);
    this.#text.replaceChildren(...texts.map(segment));
    this.#progress.hidden = !this.#isBusy;
    this.#progress.value = count.loaded / count.total || 0;
    this.#showButtons(count);
    this.#announce(texts, wasBusy);
    if (!this.#current?.isConnected) this.#setCurrent(this.#view.rows.firstElementChild);
    if (this.#isBusy) this.update();
  }

  /** @param {Count} count */
  #progressTexts({ done, failed, all, loaded, total, busy, paused }) {
    const now = performance.now();
    this.#speed.add(Math.max(0, loaded - this.#loaded));
    this.#loaded = loaded;
    const speed = this.#speed.rate(now);
    const texts = [message("sending", { loaded: done, total: all }), message("sending", formatSizes(loaded, total))];
    if (failed) texts.push(message("failedAll", { count: failed }));
    if (paused === busy) texts.push(message("paused"));
    else if (!navigator.onLine) texts.push(message("offline"));
    else if (speed) texts.push(message("timeLeft", { time: formatDuration((total - loaded) / speed) }));
    return texts;
  }

  /** @param {Count} count */
  #showButtons({ busy, paused, retryable }) {
    const hadFocus = this.element.contains(activeIn(this.element));
    const { pauseAll, resumeAll, retryAll, cancelAll } = this.#buttons;
    pauseAll.hidden = !busy || paused === busy;
    resumeAll.hidden = !paused;
    cancelAll.hidden = !busy;
    retryAll.hidden = !retryable;
    if (hadFocus && !this.element.querySelector(":focus")?.checkVisibility()) this.#focusSome();
  }

  /** Keep the focus in the field when the focused button has gone. */
  #focusSome() {
    const button = Object.values(this.#buttons).find(({ hidden }) => !hidden);
    if (button) button.focus();
    else if (this.#current?.isConnected) this.#view.rowOf(this.#current)?.focus();
    else this.#uploads.field.focus();
  }

  /**
   * @param {string[]} texts
   * @param {boolean} wasBusy
   */
  #announce(texts, wasBusy) {
    const isDue = performance.now() - this.#announced > ANNOUNCE_INTERVAL;
    if (!(wasBusy && (!this.#isBusy || isDue))) return;
    this.#announced = performance.now();
    this.#view.announce(texts.join(", "));
  }

  /** Remove what is not uploaded yet. */
  #cancel() {
    const { uploads, field } = this.#uploads;
    this.#uploads.clear(uploads.filter(({ state }) => state !== "done"));
    field.cancel();
  }

  /**
   * @param {string} key
   * @param {() => void} onclick
   */
  #createButton(key, onclick) {
    const created = button(key, onclick);
    created.textContent = message(key);
    created.hidden = true;
    return created;
  }

  /**
   * @param {Element} row
   * @param {boolean} isInSight
   */
  #toggle(row, isInSight) {
    if (!isInSight && row.contains(activeIn(row))) return;
    this.#view.rowOf(row)?.toggle(isInSight);
    this.#setTabStops(row);
  }

  /** @param {Element | null} row */
  #setCurrent(row) {
    if (row === this.#current) return;
    const before = this.#current;
    this.#current = row;
    if (before) this.#setTabStops(before);
    if (row) this.#setTabStops(row);
  }

  /** @param {Element} row */
  #setTabStops(row) {
    for (const each of row.querySelectorAll("button, summary")) /** @type {HTMLElement} */ (each).tabIndex = row === this.#current ? 0 : -1;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const row = rowAround(event.target);
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const target = this.#targetOf(event, row);
    if (!target) return;
    event.preventDefault();
    this.#setCurrent(target);
    this.#view.rowOf(target)?.toggle(true);
    this.#setTabStops(target);
    target.scrollIntoView({ block: "nearest" });
    if (target !== row) this.#view.rowOf(target)?.focus();
  }

  /**
   * Return the row that a key leads to. Left and right lead to the buttons of the same row.
   * @param {KeyboardEvent} event
   * @param {Element} row
   */
  #targetOf({ key, target }, row) {
    const { firstElementChild, lastElementChild } = this.#view.rows;
    if (key === "ArrowLeft" || key === "ArrowRight") {
      const isForward = (key === "ArrowRight") === (getComputedStyle(row).direction === "ltr");
      const buttons = /** @type {HTMLElement[]} */ ([...row.querySelectorAll(BUTTONS)]);
      buttons[buttons.indexOf(/** @type {HTMLElement} */ (target)) + (isForward ? 1 : -1)]?.focus();
      return row;
    }
    return { ArrowUp: row.previousElementSibling, ArrowDown: row.nextElementSibling, Home: firstElementChild, End: lastElementChild }[key];
  }
}

/**
 * Show a text that is not broken where the next line has room for it.
 * @param {string} text
 * @param {number} index
 * @param {string[]} texts
 */
function segment(text, index, { length }) {
  return element("span", { textContent: index < length - 1 ? `${text} · ` : text });
}

/** @param {Count} count */
function resultTexts({ done, failed, ready, total, loaded }) {
  const texts = [];
  if (done) texts.push(message("doneAll", { count: done }));
  if (failed) texts.push(message("failedAll", { count: failed }));
  if (ready) texts.push(message("ready", { total: formatSize(total - loaded) }));
  return texts;
}

/** @param {EventTarget | null} target */
function rowAround(target) {
  return target instanceof Element ? target.closest("li") : null;
}
