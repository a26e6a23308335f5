/** Milliseconds after which what was counts a third of what is. */
const MEMORY = 5000;
/** Before this nobody can tell. */
const ENOUGH = 1000;

/** How fast it goes: bytes over time, both forgotten slowly, so that the number does not jump. */
export class Pace {
  #bytes = 0;
  #time = 0;
  #uncounted = 0;
  #since;

  /** @param {number} now milliseconds */
  constructor(now) {
    this.#since = now;
  }

  /** @param {number} bytes */
  moved(bytes) {
    this.#uncounted += bytes;
  }

  /**
   * Bytes per second, 0 as long as nothing is known.
   * @param {number} now
   */
  speed(now) {
    const passed = Math.max(0, now - this.#since);
    const kept = Math.exp(-passed / MEMORY);
    this.#bytes = this.#bytes * kept + this.#uncounted;
    this.#time = this.#time * kept + passed;
    this.#since = now;
    this.#uncounted = 0;
    return this.#time < ENOUGH ? 0 : (this.#bytes / this.#time) * 1000;
  }

  /**
   * The time until now does not count: nothing was meant to move.
   * @param {number} now
   */
  rested(now) {
    this.#since = now;
  }
}
