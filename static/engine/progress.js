/** @import { ProgressReport, State } from "../types.d.ts" */
import { MovingAverage } from "./moving-average.js";

/** Minimum milliseconds between reports: pages paint no more often, and WebKit has an event for every 8 KiB. */
const INTERVAL = 60;

/** The progress of one upload. */
export class Progress {
  #total;
  #report;
  #now;
  #speed;
  #reportedAt = -Infinity;
  #stored = 0;
  /** Bytes sent of each segment in flight. @type {Map<number, number>} */
  #inFlight = new Map();
  /** @type {State} */
  #state = "starting";

  /**
   * @param {number} total
   * @param {(report: ProgressReport) => void} report
   * @param {() => number} now
   */
  constructor(total, report, now) {
    this.#total = total;
    this.#report = report;
    this.#now = now;
    this.#speed = new MovingAverage(now());
  }

  /** @param {State} state */
  enter(state) {
    if (state === this.#state) return;
    if (this.#state !== "sending") this.#speed.skipTo(this.#now());
    this.#state = state;
    this.#send();
  }

  /**
   * @param {number} index
   * @param {number} loaded
   */
  sent(index, loaded) {
    this.#speed.add(loaded - (this.#inFlight.get(index) ?? 0));
    this.#inFlight.set(index, loaded);
    this.#state = "sending";
    if (this.#now() - this.#reportedAt >= INTERVAL) this.#send();
  }

  /** @param {number} index of a segment whose request failed */
  failed(index) {
    this.#inFlight.delete(index);
  }

  /** Report that a retry is waiting, unless other segments are in flight. */
  waiting() {
    if (!this.#inFlight.size) this.enter("waiting");
  }

  /**
   * @param {number} index
   * @param {number} size
   */
  stored(index, size) {
    this.#speed.add(size - (this.#inFlight.get(index) ?? size)); // some browsers have no event for the last bytes
    this.#inFlight.delete(index);
    this.#stored += size;
    this.#send();
  }

  /** Forget all segments, since a new upload begins. */
  restart() {
    this.#stored = 0;
    this.#inFlight.clear();
  }

  /** @param {number} size of a segment that must be sent again */
  notStored(size) {
    this.#stored -= size;
  }

  #send() {
    this.#reportedAt = this.#now();
    const loaded = [...this.#inFlight.values()].reduce((sum, each) => sum + each, this.#stored);
    this.#report({ loaded, total: this.#total, state: this.#state, ...this.#estimate(this.#total - loaded) });
  }

  /** @param {number} left */
  #estimate(left) {
    const speed = this.#state === "sending" ? this.#speed.rate(this.#reportedAt) : 0;
    return { speed, timeLeft: speed ? left / speed : undefined };
  }
}
