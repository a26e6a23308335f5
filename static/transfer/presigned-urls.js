/** @import { SignAnswer, SignedSegment } from "../types.d.ts" */
import { DirectUploadFailure } from "../engine/failure.js";

/** Segments in one sign request. */
const BATCH = 16;
/** Share of its lifetime in which a URL is used, so that it does not expire during the request. */
const USABLE = 0.8;

/**
 * The presigned URLs of one upload, signed shortly before they are needed. Lifetimes are computed by the application's
 * clock and measured by the time that passed here, so a wrong clock in the browser does no harm.
 */
export class PresignedUrls {
  #sign;
  #now;
  /** @type {Map<number, { segment: SignedSegment, since: number, usable: number }>} */
  #urls = new Map();
  /** @type {Map<number, Promise<void>>} */
  #requested = new Map();

  /**
   * @param {(indexes: number[]) => Promise<SignAnswer>} sign
   * @param {() => number} now
   */
  constructor(sign, now) {
    this.#sign = sign;
    this.#now = now;
  }

  /** @param {SignAnswer} answer */
  add({ segments, clock }) {
    const since = this.#now();
    for (const segment of segments) {
      const life = (segment.expires - (clock ?? since / 1000)) * 1000;
      // Without the application's clock a fresh URL may look expired: use it, and let storage decide.
      this.#urls.set(segment.index, { segment, since, usable: life > 0 ? life * USABLE : Infinity });
    }
  }

  /** @param {number} index */
  delete(index) {
    this.#urls.delete(index);
  }

  /**
   * @param {number} index
   * @param {number[]} upcoming segments that are needed next, signed in the same request
   */
  async get(index, upcoming) {
    if (!this.#isFresh(index)) await (this.#requested.get(index) ?? this.#request([index, ...upcoming]));
    const found = this.#urls.get(index);
    if (!found) throw new DirectUploadFailure("network", { detail: "The answer lacks a presigned URL.", transient: true });
    return found.segment;
  }

  /** @param {number[]} wanted */
  #request(wanted) {
    const indexes = wanted.filter((index) => !this.#isFresh(index) && !this.#requested.has(index)).slice(0, BATCH);
    const answer = this.#sign(indexes)
      .then((signed) => this.add(signed))
      .finally(() => indexes.forEach((index) => this.#requested.delete(index)));
    for (const index of indexes) this.#requested.set(index, answer);
    return answer;
  }

  /** @param {number} index */
  #isFresh(index) {
    const found = this.#urls.get(index);
    const age = this.#now() - (found?.since ?? 0);
    return !!found && age >= 0 && age < found.usable;
  }
}
