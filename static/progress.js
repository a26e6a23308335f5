/** @import { ProgressReport, State } from "./types.d.ts" */

/** Pages need no more often to be painted, and WebKit tells of every 8 KiB. */
const INTERVAL = 60;

export class Progress {
  #total;
  #tell;
  #now;
  #told = -Infinity;
  #stored = 0;
  /** @type {Map<number, number>} */
  #travelling = new Map();
  /** @type {State} */
  #state = "starting";

  /**
   * @param {number} total
   * @param {((report: ProgressReport) => void) | undefined} tell
   * @param {() => number} now
   */
  constructor(total, tell, now) {
    this.#total = total;
    this.#tell = tell;
    this.#now = now;
  }

  /** @param {State} state */
  enter(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#report();
  }

  /**
   * @param {number} index
   * @param {number} loaded
   */
  travelled(index, loaded) {
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
    const travelling = [...this.#travelling.values()].reduce((sum, loaded) => sum + loaded, 0);
    const report = { loaded: this.#stored + travelling, total: this.#total, state: this.#state };
    // In a microtask: what the page's callback throws is the page's, and does not harm the upload.
    queueMicrotask(() => this.#tell?.(report));
  }
}
