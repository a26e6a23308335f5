/** @import { ProgressReport, State } from "../types.d.ts" */
import { Pace } from "./moving-average.js";

/** Pages need no more often to be painted, and WebKit tells of every 8 KiB. */
const INTERVAL = 60;

export class Progress {
  #total;
  #tell;
  #now;
  #pace;
  #told = -Infinity;
  #stored = 0;
  /** @type {Map<number, number>} */
  #travelling = new Map();
  /** @type {State} */
  #state = "starting";

  /**
   * @param {number} total
   * @param {(report: ProgressReport) => void} tell
   * @param {() => number} now
   */
  constructor(total, tell, now) {
    this.#total = total;
    this.#tell = tell;
    this.#now = now;
    this.#pace = new Pace(now());
  }

  /** @param {State} state */
  enter(state) {
    if (state === this.#state) return;
    if (this.#state !== "sending") this.#pace.rested(this.#now());
    this.#state = state;
    this.#report();
  }

  /**
   * @param {number} index
   * @param {number} loaded
   */
  travelled(index, loaded) {
    this.#pace.moved(loaded - (this.#travelling.get(index) ?? 0));
    this.#travelling.set(index, loaded);
    this.#state = "sending";
    if (this.#now() - this.#told >= INTERVAL) this.#report();
  }

  /** @param {number} index */
  lost(index) {
    this.#travelling.delete(index);
  }

  /** Something failed and will be tried again: worth telling when nothing else moves. */
  waits() {
    if (!this.#travelling.size) this.enter("waiting");
  }

  /**
   * @param {number} index
   * @param {number} size
   */
  stored(index, size) {
    this.#pace.moved(size - (this.#travelling.get(index) ?? size)); // not every browser tells of the last bytes
    this.#travelling.delete(index);
    this.#stored += size;
    this.#report();
  }

  /** @param {number} size of a segment that must be sent again */
  takenBack(size) {
    this.#stored -= size;
  }

  #report() {
    this.#told = this.#now();
    const loaded = [...this.#travelling.values()].reduce((sum, each) => sum + each, this.#stored);
    this.#tell({ loaded, total: this.#total, state: this.#state, ...this.#foresee(this.#total - loaded) });
  }

  /** @param {number} left */
  #foresee(left) {
    const speed = this.#state === "sending" ? this.#pace.speed(this.#told) : 0;
    return { speed, timeLeft: speed ? left / speed : undefined };
  }
}
