/** Holds the work of an upload while it is paused. `signal` aborts requests in flight when the pause begins. */
export class PauseGate {
  #pausing = new AbortController();
  /** @type {Set<() => void>} */
  #waiting = new Set();

  get signal() {
    return this.#pausing.signal;
  }

  get isPaused() {
    return this.signal.aborted;
  }

  pause() {
    this.#pausing.abort();
  }

  resume() {
    if (!this.isPaused) return;
    this.#pausing = new AbortController();
    for (const wake of this.#waiting) wake();
  }

  /**
   * Wait until the upload is not paused.
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  async wait(signal) {
    signal.throwIfAborted();
    while (this.isPaused) await this.#resumed(signal);
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  #resumed(signal) {
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(end);
        signal.removeEventListener("abort", end);
        if (signal.aborted) reject(signal.reason);
        else resolve();
      };
      this.#waiting.add(end);
      signal.addEventListener("abort", end);
    });
  }
}
