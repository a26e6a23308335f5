/** Time constant in milliseconds: what is older by this much counts a third. */
const WINDOW = 5000;
/** Milliseconds that must be measured before there is a rate. */
const MINIMUM = 1000;

/** An exponential moving average of bytes per second. */
export class MovingAverage {
  #bytes = 0;
  #time = 0;
  #added = 0;
  #since;

  /** @param {number} now milliseconds */
  constructor(now) {
    this.#since = now;
  }

  /** @param {number} bytes */
  add(bytes) {
    this.#added += bytes;
  }

  /**
   * Return bytes per second, or 0 when too little was measured.
   * @param {number} now
   */
  rate(now) {
    const passed = Math.max(0, now - this.#since);
    const weight = Math.exp(-passed / WINDOW);
    this.#bytes = this.#bytes * weight + this.#added;
    this.#time = this.#time * weight + passed;
    this.#since = now;
    this.#added = 0;
    return this.#time < MINIMUM ? 0 : (this.#bytes / this.#time) * 1000;
  }

  /**
   * Leave out the time until now, in which nothing was sent on purpose.
   * @param {number} now
   */
  skipTo(now) {
    this.#since = now;
  }
}
