/** @import { ProgressReport } from "../types.d.ts" */

/** Progress for whoever asks: by a callback, or by iterating. */
export class Reports {
  #tell;
  /** @type {ProgressReport | undefined} */
  #latest;
  /** Wakes those who wait for the next one. @type {Set<(value?: unknown) => void>} */
  #waiting = new Set();

  /** @param {((report: ProgressReport) => void) | undefined} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  /** @param {ProgressReport} report */
  add = (report) => {
    this.#latest = report;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
    // In a microtask: what the page's callback throws is the page's, and does not harm the upload.
    queueMicrotask(() => this.#tell?.(report));
  };

  /**
   * The newest report each time, until `done`; a slow reader misses some, and nothing piles up.
   * @param {Promise<unknown>} done
   */
  async *until(done) {
    let isOver = false;
    const over = done.finally(() => { isOver = true; });
    over.catch(() => undefined); // told below
    for (let read; !isOver || read !== this.#latest; ) {
      if (read === this.#latest) await this.#news(over);
      else yield /** @type {ProgressReport} */ (read = this.#latest);
    }
    await over;
  }

  /** @param {Promise<unknown>} over */
  #news(over) {
    return new Promise((wake) => {
      this.#waiting.add(wake);
      over.then(wake, wake);
    });
  }
}
