/** @import { Environment, SegmentEtag, SignedSegment, UploadOptions } from "../types.d.ts" */
/** @import { Api } from "../engine/api.js" */
/** @import { Batches } from "../engine/batches.js" */
/** @import { DirectUploadFailure } from "../engine/failure.js" */
/** @import { FileSource } from "./file-source.js" */
/** @import { PauseGate } from "./pause-gate.js" */
/** @import { Progress } from "../engine/progress.js" */
/** @import { Session } from "../engine/session.js" */
import { Diagnosis } from "./diagnosis.js";
import { Etags } from "../hashing/etags.js";
import { PresignedUrls } from "./presigned-urls.js";
import { DAMAGED, putSegment } from "./put-segment.js";
import { asFailure, retry } from "../engine/retry.js";
import { renewTicket } from "../engine/session.js";

/** Segments that are hashed in advance, beyond those in flight. */
const READ_AHEAD = 2;
/** Bytes of a file for which there are as many connections as the browser allows. */
const SMALL_FILE = 4 * 1024 * 1024;

/**
 * The collaborators and settings of one upload.
 * @typedef {{ api: Api, batches: Batches, env: Environment, gate: PauseGate, mount: URL, place: string, progress: Progress,
 *   source: FileSource, signal: AbortSignal, retries: number, stall: number, onretry: UploadOptions["onretry"] }} Context
 * @typedef {{ signal: AbortSignal, stall: number, onprogress: (loaded: number) => void }} AttemptOptions
 */

/** Sends the segments of one upload to storage. */
export class SegmentSender {
  #context;
  #record;
  #urls;
  #etags;
  #connections;
  #stopping = new AbortController();
  /** @type {number[]} */
  #waiting = [];
  #stored;
  #diagnosis;
  /** The URL of the last request to storage. */
  #storageUrl = "";

  /**
   * @param {Session} session
   * @param {Context} context
   */
  constructor({ record, stored, signed }, context) {
    const { api, env, signal, source } = context;
    this.#context = context;
    this.#record = record;
    this.#stored = new Map(stored.map((segment) => [segment.index, segment]));
    const sign = async (/** @type {number[]} */ indexes) => {
      const answer = await api.sign(record, indexes, signal);
      renewTicket(record, answer, env);
      return answer;
    };
    this.#urls = new PresignedUrls(sign, env.now);
    this.#etags = new Etags(async (index) => env.hash(source.segment(index, record), signal), record.parallel + READ_AHEAD);
    this.#diagnosis = new Diagnosis(env);
    this.#connections = env.connections.join(record.parallel, record.segment_count === 1 && source.size <= SMALL_FILE);
    if (signed) this.#urls.add(signed);
  }

  /** @returns {Promise<SegmentEtag[]>} the ETag of every segment, when all are stored */
  async sendAll() {
    return this.#send(Array.from({ length: this.#record.segment_count }, (_, index) => index));
  }

  /**
   * Send segments again that storage lacks or has with another ETag; without indexes, send all of them.
   * @param {number[]} [indexes]
   */
  async sendAgain(indexes = []) {
    const known = indexes.filter((index) => this.#has(index));
    const again = known.length ? known : this.#record.etags.map(({ index }) => index);
    for (const index of again) {
      this.#stored.delete(index);
      this.#etags.delete(index);
      this.#context.progress.notStored(this.#slice(index).size);
    }
    this.#record.etags = this.#record.etags.filter(({ index }) => !again.includes(index));
    return this.#send(again);
  }

  /** Give the connections to other uploads. */
  close() {
    this.#connections.leave();
  }

  /** @param {number[]} indexes */
  async #send(indexes) {
    this.#waiting = indexes;
    const workers = Array.from({ length: this.#record.parallel }, () => this.#work());
    try {
      await Promise.all(workers);
    } catch (failure) {
      this.#stopping.abort(failure);
      await Promise.allSettled(workers);
      throw failure;
    }
    return this.#record.etags.toSorted((one, other) => one.index - other.index);
  }

  async #work() {
    for (let index; (index = this.#waiting.shift()) !== undefined; ) {
      const etag = await this.#sendUnlessPaused(index);
      this.#record.etags.push({ index, etag });
      this.#urls.delete(index);
      this.#context.progress.stored(index, this.#slice(index).size);
      // The last one is saved before complete.
      if (this.#waiting.length && !this.#stored.has(index)) void this.#context.env.records.save(this.#record);
    }
  }

  /**
   * Send a segment. A pause aborts the request; after it the segment is sent again from its start.
   * @param {number} index
   * @returns {Promise<string>} its ETag
   */
  async #sendUnlessPaused(index) {
    const { gate, progress, signal } = this.#context;
    const stop = AbortSignal.any([signal, this.#stopping.signal]);
    for (;;) {
      await gate.wait(stop);
      const pausing = gate.signal;
      try {
        return await this.#sendWithRetries(index, AbortSignal.any([stop, pausing]));
      } catch (failure) {
        progress.failed(index);
        if (stop.aborted || !pausing.aborted) throw failure;
      }
    }
  }

  /**
   * @param {number} index
   * @param {AbortSignal} signal
   */
  #sendWithRetries(index, signal) {
    const { env, progress, retries, onretry } = this.#context;
    let furthest = 0;
    let stall = Math.max(this.#context.stall, 2 * env.connections.longestGap);
    return retry(async (progressed) => {
      const onprogress = (/** @type {number} */ loaded) => {
        progress.sent(index, loaded);
        this.#diagnosis.bytesSent();
        if (loaded > furthest) progressed();
        furthest = Math.max(furthest, loaded);
      };
      try {
        return await this.#attempt(index, { signal, stall, onprogress });
      } catch (error) {
        progress.failed(index);
        signal.throwIfAborted();
        const failure = await this.#diagnosis.explain(asFailure(error), this.#storageUrl);
        await this.#prepareRetry(index, failure);
        if (failure.code === "stalled") stall *= 2; // the connection may only be slow
        throw failure;
      }
    }, env, { retries, signal, onretry });
  }

  /**
   * Send a segment once. Without workers, hashing is slow and runs during the request: then damage is found by complete
   * and not when the segment arrives.
   * @param {number} index
   * @param {AttemptOptions} options
   */
  async #attempt(index, options) {
    const hashing = this.#etags.get(index, this.#waiting);
    const stored = this.#stored.get(index);
    const etag = stored || this.#context.env.hasHashWorkers() ? await hashing : undefined;
    const body = this.#slice(index);
    if (stored && stored.etag === etag && stored.size === body.size) return etag;
    await this.#put(index, body, etag, options);
    return etag ?? hashing;
  }

  /**
   * @param {number} index
   * @param {Blob} body
   * @param {string | undefined} etag
   * @param {AttemptOptions} options
   */
  async #put(index, body, etag, { signal, stall, onprogress }) {
    await this.#connections.acquire(signal);
    try {
      const segment = await this.#urls.get(index, this.#waiting);
      signal.throwIfAborted();
      const url = (this.#storageUrl = new URL(segment.url, this.#context.mount).href);
      const headers = { ...segment.headers, ...checksumHeader(etag, segment) };
      const gap = await putSegment({ url, headers, body, signal, stall, onprogress }, this.#context.env);
      this.#connections.succeeded(gap);
    } finally {
      this.#connections.release();
    }
  }

  /**
   * Without CORS headers, a refused URL and a changed file look like a broken network, so get a new URL and check the
   * file before the next attempt. WebKit sends no more of a file that has changed, and reports no error.
   * @param {number} index
   * @param {DirectUploadFailure} failure
   */
  async #prepareRetry(index, failure) {
    const { source, signal } = this.#context;
    this.#connections.failed();
    const damaged = DAMAGED.includes(failure.status);
    if (damaged) this.#etags.delete(index);
    if (failure.status < 500 && failure.status !== 422) this.#urls.delete(index);
    if (/network|stalled/.test(failure.code) || damaged) await source.check(signal);
  }

  /** @param {number} index */
  #slice(index) {
    return this.#context.source.segment(index, this.#record);
  }

  /** @param {number} index */
  #has(index) {
    return this.#record.etags.some((each) => each.index === index);
  }
}

/**
 * Return the header that makes storage verify the segment's MD5.
 * @param {string | undefined} etag in hex; undefined while it is not known
 * @param {SignedSegment} segment
 * @returns {Record<string, string>}
 */
function checksumHeader(etag, { checksum: { header, encoding } = { header: "ETag", encoding: "hex" } }) {
  if (!etag) return {};
  const base64 = () => btoa(etag.replace(/../g, (byte) => String.fromCharCode(parseInt(byte, 16))));
  return { [header]: encoding === "base64" ? base64() : etag };
}
