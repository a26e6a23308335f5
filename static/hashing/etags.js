/** The MD5 of each segment, computed some segments ahead of the transport. */
export class Etags {
  #compute;
  #ahead;
  /** @type {Map<number, Promise<string>>} */
  #known = new Map();

  /**
   * @param {(index: number) => Promise<string>} compute
   * @param {number} ahead how many beyond those asked for
   */
  constructor(compute, ahead) {
    this.#compute = compute;
    this.#ahead = ahead;
  }

  /**
   * @param {number} index
   * @param {number[]} upcoming
   */
  of(index, upcoming) {
    for (const next of [index, ...upcoming.slice(0, this.#ahead)]) this.#start(next);
    return /** @type {Promise<string>} */ (this.#known.get(index));
  }

  /** @param {number} index */
  forget(index) {
    this.#known.delete(index);
  }

  /** @param {number} index */
  #start(index) {
    if (this.#known.has(index)) return;
    const etag = this.#compute(index);
    etag.catch(() => undefined); // told to whoever asks for it
    this.#known.set(index, etag);
  }
}
