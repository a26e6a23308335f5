/** Closed by pause, opened by resume. `signal` aborts when the gate closes, to cut what is on its way. */
export class Gate {
  #closing = new AbortController();
  /** @type {Set<() => void>} */
  #waiting = new Set();

  get signal() {
    return this.#closing.signal;
  }

  get closed() {
    return this.signal.aborted;
  }

  close() {
    this.#closing.abort();
  }

  open() {
    if (!this.closed) return;
    this.#closing = new AbortController();
    for (const go of this.#waiting) go();
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  async passed(signal) {
    signal.throwIfAborted();
    while (this.closed) await this.#opened(signal);
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  #opened(signal) {
    return new Promise((resolve, reject) => {
      const over = () => {
        this.#waiting.delete(over);
        signal.removeEventListener("abort", over);
        if (signal.aborted) reject(signal.reason);
        else resolve();
      };
      this.#waiting.add(over);
      signal.addEventListener("abort", over);
    });
  }
}
