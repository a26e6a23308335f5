// One upload from its file to its receipt. No DOM: all that it needs of the browser comes in as `env`.
/** @import { Declared, Environment, Run, Sendable, UploadOptions, UploadResult } from "../types.d.ts" */
/** @import { Opened } from "./session.js" */
/** @import { Tools } from "./segment-sender.js" */
import { Api } from "./api.js";
import { browser } from "./browser.js";
import { DirectUploadFailure } from "./failure.js";
import { Gate } from "./pause-gate.js";
import { begin, takeUp } from "./session.js";
import { Progress } from "./progress.js";
import { Reports } from "./progress-reports.js";
import { failureOf, persist } from "./retry.js";
import { Segments } from "./segment-sender.js";
import { Source } from "./file-source.js";

const RETRIES = 12;
const STALL = 30_000;
/** How often completion may find segments missing or different before we give up. */
const ROUNDS = 3;

/**
 * @param {URL} mount
 * @param {Sendable} file
 * @param {UploadOptions} [options]
 * @param {Environment} [env]
 * @returns {Run}
 */
export function start(mount, file, options = {}, env = browser) {
  return new Upload(mount, file, options, env);
}

class Upload {
  #aborting = new AbortController();
  /** @type {Tools} */
  #tools;
  #reports;
  /** @type {Opened | undefined} */
  #opened;

  /**
   * @param {URL} mount
   * @param {Sendable} file
   * @param {UploadOptions} options
   * @param {Environment} env
   */
  constructor(mount, file, { filename, onprogress, onretry, place = "", signal, retries = RETRIES, stall = STALL }, env) {
    this.#reports = new Reports(onprogress);
    const progress = new Progress(file.size, this.#reports.add, env.now);
    this.#tools = {
      api: new Api(mount, env),
      env,
      gate: new Gate(),
      mount,
      place,
      progress,
      source: new Source(file, env, filename),
      signal: this.#aborting.signal,
      retries,
      stall,
      onretry(report) {
        progress.waits();
        queueMicrotask(() => onretry?.(report));
      },
    };
    this.done = this.#run(signal);
  }

  pause() {
    this.#tools.gate.close();
    this.#tools.progress.enter("paused");
  }

  resume() {
    if (!this.#tools.gate.closed) return;
    this.#tools.gate.open();
    this.#tools.progress.enter("sending");
  }

  abort = () => {
    this.#aborting.abort(new DirectUploadFailure("aborted"));
  };

  reports() {
    return this.#reports.until(this.done);
  }

  /**
   * @param {AbortSignal | undefined} outer the page's own
   * @returns {Promise<UploadResult>}
   */
  async #run(outer) {
    const { signal } = this.#tools;
    outer?.addEventListener("abort", this.abort);
    if (outer?.aborted) this.abort();
    try {
      return await Promise.race([this.#wholeWay(), whenAborted(signal)]);
    } catch (failure) {
      if (signal.aborted) this.#giveUp();
      throw failure;
    } finally {
      outer?.removeEventListener("abort", this.abort);
      this.#opened?.release();
    }
  }

  async #wholeWay() {
    this.#tools.signal.throwIfAborted();
    const fingerprint = await this.#tools.source.fingerprint(this.#tools.signal);
    const earlier = await takeUp(fingerprint, this.#tools);
    const result = earlier && (await this.#unlessComplete(earlier));
    return result ?? this.#carryOut(await begin(fingerprint, this.#tools));
  }

  /**
   * An upload that was completed with other bytes than the file has now cannot take these: a new one can.
   * @param {Opened} earlier
   */
  async #unlessComplete(earlier) {
    try {
      return await this.#carryOut(earlier);
    } catch (error) {
      if (failureOf(error).code !== "already-complete") throw error;
      earlier.release();
      await this.#forget();
      return undefined;
    }
  }

  /** @param {Opened} opened */
  async #carryOut(opened) {
    const { gate, progress, signal } = this.#tools;
    this.#opened = opened;
    if (signal.aborted) this.#giveUp(); // while it was being opened
    signal.throwIfAborted();
    const segments = new Segments(opened, this.#tools);
    if (!gate.closed) progress.enter("sending");
    try {
      const result = await this.#finish(opened, segments);
      await this.#forget();
      return result;
    } finally {
      segments.leave();
    }
  }

  /**
   * @param {Opened} opened
   * @param {Segments} segments
   */
  async #finish({ record }, segments) {
    const { gate, progress, signal, source } = this.#tools;
    let declared = await segments.sendAll();
    for (let round = 1; ; round += 1) {
      await gate.passed(signal);
      await source.check(signal);
      progress.enter("finishing");
      try {
        return await this.#complete(record, declared);
      } catch (error) {
        const { code, problem } = failureOf(error);
        if (!/^segments-(missing|differ)$/.test(code) || round > ROUNDS) throw error;
        progress.enter("sending");
        declared = await segments.sendAgain(problem?.indexes);
      }
    }
  }

  /**
   * @param {Opened["record"]} record
   * @param {Declared[]} declared
   */
  async #complete(record, declared) {
    const { api, env, signal } = this.#tools;
    await env.records.save(record); // with all its ETags, should the answer not be heard
    const answer = await persist(() => api.complete(record, declared, signal), env, this.#tools);
    const { receipt, upload, download_url, data } = answer;
    return { receipt, upload, download_url, data };
  }

  async #forget() {
    if (this.#opened) await this.#tools.env.records.remove(this.#opened.record);
  }

  /** Best effort: what the application is not told, its sweep finds. */
  #giveUp() {
    if (!this.#opened) return;
    this.#opened.release();
    void this.#forget();
    this.#tools.api.abort(this.#opened.record).catch(() => undefined);
  }
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<never>}
 */
function whenAborted(signal) {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
