/** @import { Signed, SignedSegment } from "../types.d.ts" */
import { DirectUploadFailure } from "./failure.js";

const AHEAD = 16;
/** A temp URL is used during the first four fifths of its life, so that it does not end on its way. */
const USABLE = 0.8;

/**
 * Temp URLs, just in time. How long each still lives is told by the application's clock and measured by the time
 * that passed here, so it does not matter what this browser takes the time to be.
 */
export class TempUrls {
  #sign;
  #now;
  /** @type {Map<number, { segment: SignedSegment, since: number, usable: number }>} */
  #held = new Map();
  /** @type {Map<number, Promise<void>>} */
  #asked = new Map();

  /**
   * @param {(indexes: number[]) => Promise<Signed>} sign
   * @param {() => number} now
   */
  constructor(sign, now) {
    this.#sign = sign;
    this.#now = now;
  }

  /** @param {Signed} signed */
  add({ segments, clock }) {
    const since = this.#now();
    for (const segment of segments) {
      const life = (segment.expires - (clock ?? since / 1000)) * 1000;
      // Without the application's clock ours may be so wrong that the URL seems dead: then storage tells.
      this.#held.set(segment.index, { segment, since, usable: life > 0 ? life * USABLE : Infinity });
    }
  }

  /** @param {number} index */
  forget(index) {
    this.#held.delete(index);
  }

  /**
   * @param {number} index
   * @param {number[]} upcoming what will be wanted next; asked for along with it
   */
  async get(index, upcoming) {
    if (!this.#isFresh(index)) await (this.#asked.get(index) ?? this.#ask([index, ...upcoming]));
    const held = this.#held.get(index);
    if (!held) throw new DirectUploadFailure("network", { detail: "No temp URL was given.", transient: true });
    return held.segment;
  }

  /** @param {number[]} wanted */
  #ask(wanted) {
    const indexes = wanted.filter((index) => !this.#isFresh(index) && !this.#asked.has(index)).slice(0, AHEAD);
    const answer = this.#sign(indexes)
      .then((signed) => this.add(signed))
      .finally(() => indexes.forEach((index) => this.#asked.delete(index)));
    for (const index of indexes) this.#asked.set(index, answer);
    return answer;
  }

  /** @param {number} index */
  #isFresh(index) {
    const held = this.#held.get(index);
    const age = this.#now() - (held?.since ?? 0);
    return !!held && age >= 0 && age < held.usable;
  }
}
