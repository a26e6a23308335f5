/** The MD5 of each segment, computed a few segments in advance. */
export class Etags {
  #compute;
  #ahead;
  /** @type {Map<number, Promise<string>>} */
  #etags = new Map();

  /**
   * @param {(index: number) => Promise<string>} compute
   * @param {number} ahead number of segments to compute beyond the requested one
   */
  constructor(compute, ahead) {
    this.#compute = compute;
    this.#ahead = ahead;
  }

  /**
   * @param {number} index
   * @param {number[]} upcoming
   */
  get(index, upcoming) {
    for (const next of [index, ...upcoming.slice(0, this.#ahead)]) this.#start(next);
    return /** @type {Promise<string>} */ (this.#etags.get(index));
  }

  /** @param {number} index */
  delete(index) {
    this.#etags.delete(index);
  }

  /** @param {number} index */
  #start(index) {
    if (this.#etags.has(index)) return;
    const etag = this.#compute(index);
    etag.catch(() => undefined); // the caller of get() handles it
    this.#etags.set(index, etag);
  }
}
