/** @import { ProgressReport } from "../types.d.ts" */

/** Delivers progress reports to a callback and to async iterators. */
export class ProgressReports {
  #callback;
  /** @type {ProgressReport | undefined} */
  #latest;
  /** Wakes iterators that wait for the next report. @type {Set<(value?: unknown) => void>} */
  #waiting = new Set();

  /** @param {((report: ProgressReport) => void) | undefined} callback */
  constructor(callback) {
    this.#callback = callback;
  }

  /** @param {ProgressReport} report */
  add = (report) => {
    this.#latest = report;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
    // In a microtask, so that an exception in the page's callback does not stop the upload.
    queueMicrotask(() => this.#callback?.(report));
  };

  /**
   * Yield the latest report each time, until `done` settles. A slow reader misses reports; none are queued.
   * @param {Promise<unknown>} done
   */
  async *iterate(done) {
    let isDone = false;
    const end = done.finally(() => { isDone = true; });
    end.catch(() => undefined); // thrown below
    for (let read; !isDone || read !== this.#latest; ) {
      if (read === this.#latest) await this.#next(end);
      else yield /** @type {ProgressReport} */ (read = this.#latest);
    }
    await end;
  }

  /** @param {Promise<unknown>} end */
  #next(end) {
    return new Promise((wake) => {
      this.#waiting.add(wake);
      end.then(wake, wake);
    });
  }
}
