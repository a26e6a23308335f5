/** @import { Declared, Environment, UploadOptions } from "../types.d.ts" */
/** @import { Api } from "./api.js" */
/** @import { DirectUploadFailure } from "./failure.js" */
/** @import { Gate } from "./pause-gate.js" */
/** @import { Opened } from "./session.js" */
/** @import { Progress } from "./progress.js" */
/** @import { Source } from "./file-source.js" */
import { Diagnosis } from "./diagnosis.js";
import { Etags } from "../hashing/etags.js";
import { renew } from "./session.js";
import { failureOf, persist } from "./retry.js";
import { TempUrls } from "./temp-urls.js";
import { checksumHeader, DAMAGED, transfer } from "./put-segment.js";

/** How many segments are hashed ahead, beyond as many as travel. */
const SPARE = 2;

/**
 * What one upload works with.
 * @typedef {{ api: Api, env: Environment, gate: Gate, mount: URL, place: string, progress: Progress, source: Source,
 *   signal: AbortSignal, retries: number, stall: number, onretry: UploadOptions["onretry"] }} Tools
 * @typedef {{ signal: AbortSignal, stall: number, travelled: (loaded: number) => void }} How
 */

/** The segments of one upload, on their way from the file into storage. */
export class Segments {
  #tools;
  #upload;
  #urls;
  #etags;
  #share;
  #stopping = new AbortController();
  /** @type {number[]} */
  #waiting = [];
  #stored;
  #diagnosis;
  /** Where the last segment went. */
  #storage = "";

  /**
   * @param {Opened} opened
   * @param {Tools} tools
   */
  constructor({ record: upload, stored, signed }, tools) {
    const { api, env, signal, source } = tools;
    this.#tools = tools;
    this.#upload = upload;
    this.#stored = new Map(stored.map((segment) => [segment.index, segment]));
    const sign = async (/** @type {number[]} */ indexes) => {
      const signed = await api.sign(upload, indexes, signal);
      renew(upload, signed, env);
      return signed;
    };
    this.#urls = new TempUrls(sign, env.now);
    this.#etags = new Etags(async (index) => env.hash(source.segment(index, upload), signal), upload.parallel + SPARE);
    this.#diagnosis = new Diagnosis(env);
    this.#share = env.lanes.join(upload.parallel);
    if (signed) this.#urls.add(signed);
  }

  /** @returns {Promise<Declared[]>} what storage has when all are there */
  async sendAll() {
    return this.#send(Array.from({ length: this.#upload.segment_count }, (_, index) => index));
  }

  /**
   * Sends anew what storage lacks, or has otherwise than declared; everything, when it does not say what.
   * @param {number[]} [indexes]
   */
  async sendAgain(indexes = []) {
    const known = indexes.filter((index) => this.#has(index));
    const again = known.length ? known : this.#upload.etags.map(({ index }) => index);
    for (const index of again) {
      this.#stored.delete(index);
      this.#etags.forget(index);
      this.#tools.progress.takenBack(this.#slice(index).size);
    }
    this.#upload.etags = this.#upload.etags.filter(({ index }) => !again.includes(index));
    return this.#send(again);
  }

  /** Gives its share of the lanes to others. */
  leave() {
    this.#share.leave();
  }

  /** @param {number[]} indexes */
  async #send(indexes) {
    this.#waiting = indexes;
    const senders = Array.from({ length: this.#upload.parallel }, () => this.#sender());
    try {
      await Promise.all(senders);
    } catch (failure) {
      this.#stopping.abort(failure);
      await Promise.allSettled(senders);
      throw failure;
    }
    return this.#upload.etags.toSorted((one, other) => one.index - other.index);
  }

  async #sender() {
    for (let index; (index = this.#waiting.shift()) !== undefined; ) {
      const etag = await this.#deliver(index);
      this.#upload.etags.push({ index, etag });
      this.#urls.forget(index);
      this.#tools.progress.stored(index, this.#slice(index).size);
      if (!this.#stored.has(index)) void this.#tools.env.records.save(this.#upload);
    }
  }

  /**
   * A pause cuts what travels; the segment starts again after it.
   * @param {number} index
   * @returns {Promise<string>} its ETag
   */
  async #deliver(index) {
    const { gate, progress, signal } = this.#tools;
    const stop = AbortSignal.any([signal, this.#stopping.signal]);
    for (;;) {
      await gate.passed(stop);
      const closing = gate.signal;
      try {
        return await this.#insist(index, AbortSignal.any([stop, closing]));
      } catch (failure) {
        progress.lost(index);
        if (stop.aborted || !closing.aborted) throw failure;
      }
    }
  }

  /**
   * @param {number} index
   * @param {AbortSignal} signal
   */
  #insist(index, signal) {
    const { env, progress, retries, onretry } = this.#tools;
    let furthest = 0;
    let stall = this.#tools.stall;
    return persist(async (moved) => {
      const travelled = (/** @type {number} */ loaded) => {
        progress.travelled(index, loaded);
        this.#diagnosis.moved();
        if (loaded > furthest) moved();
        furthest = Math.max(furthest, loaded);
      };
      try {
        return await this.#attempt(index, { signal, stall, travelled });
      } catch (error) {
        progress.lost(index);
        signal.throwIfAborted();
        const failure = await this.#diagnosis.of(failureOf(error), this.#storage);
        await this.#learn(index, failure);
        if (failure.code === "stalled") stall *= 2; // perhaps it is only slow
        throw failure;
      }
    }, env, { retries, signal, onretry });
  }

  /**
   * Where hashing is slow it goes on beside the sending: then not the arrival tells whether a segment was damaged on
   * its way, but the completion.
   * @param {number} index
   * @param {How} how
   */
  async #attempt(index, how) {
    const hashing = this.#etags.of(index, this.#waiting);
    const stored = this.#stored.get(index);
    const etag = stored || this.#tools.env.hashesAhead() ? await hashing : undefined;
    const body = this.#slice(index);
    if (stored && stored.etag === etag && stored.size === body.size) return etag;
    await this.#put(index, body, etag, how);
    return etag ?? hashing;
  }

  /**
   * @param {number} index
   * @param {Blob} body
   * @param {string | undefined} etag
   * @param {How} how
   */
  async #put(index, body, etag, { signal, stall, travelled }) {
    await this.#share.take(signal);
    try {
      const { url, headers, checksum } = await this.#urls.get(index, this.#waiting);
      signal.throwIfAborted();
      const target = (this.#storage = new URL(url, this.#tools.mount).href);
      await transfer(
        { url: target, headers: { ...headers, ...checksumHeader(etag, checksum) }, body, signal, stall, onprogress: travelled },
        this.#tools.env,
      );
      this.#share.faster();
    } finally {
      this.#share.release();
    }
  }

  /**
   * A refused temp URL looks, without CORS headers, like a broken network, and so does a file that was changed:
   * both are asked about before the network is blamed.
   * @param {number} index
   * @param {DirectUploadFailure} failure
   */
  async #learn(index, failure) {
    const { source, signal } = this.#tools;
    this.#share.slower();
    const damaged = DAMAGED.includes(failure.status);
    if (damaged) this.#etags.forget(index);
    if (failure.status < 500 && failure.status !== 422) this.#urls.forget(index);
    if (failure.code === "network" || damaged) await source.check(signal);
  }

  /** @param {number} index */
  #slice(index) {
    return this.#tools.source.segment(index, this.#upload);
  }

  /** @param {number} index */
  #has(index) {
    return this.#upload.etags.some((declared) => declared.index === index);
  }
}
