// One upload, from its file to its receipt. It uses no DOM: everything it needs from the browser is in `env`.
/** @import { Environment, SegmentEtag, Sendable, UploadOptions, UploadResult, UploadRun } from "../types.d.ts" */
/** @import { Context } from "../transfer/segment-sender.js" */
/** @import { Session } from "./session.js" */
import { Api } from "./api.js";
import { Batches } from "./batches.js";
import { browser } from "./browser.js";
import { DirectUploadFailure } from "./failure.js";
import { FileSource } from "../transfer/file-source.js";
import { PauseGate } from "../transfer/pause-gate.js";
import { Progress } from "./progress.js";
import { ProgressReports } from "./progress-reports.js";
import { asFailure, retry, toFailure } from "./retry.js";
import { SegmentSender } from "../transfer/segment-sender.js";
import { begin, checkCookie, resume } from "./session.js";

const RETRIES = 12;
const STALL = 30_000;
/** Maximum of complete requests after which segments that are missing or differ are sent again. */
const ROUNDS = 3;

/**
 * @param {URL} mount the default for the option
 * @param {Sendable} file
 * @param {UploadOptions} [options]
 * @param {Environment} [env]
 * @returns {UploadRun}
 */
export function start(mount, file, options = {}, env = browser) {
  return new Upload(new URL(String(options.mount ?? mount).replace(/\/*$/, "/"), mount), file, options, env);
}

class Upload {
  #aborting = new AbortController();
  /** @type {Context} */
  #context;
  #reports;
  /** @type {Session | undefined} */
  #session;

  /**
   * @param {URL} mount
   * @param {Sendable} file
   * @param {UploadOptions & { together?: boolean }} options `together`: share requests with other uploads of this page
   * @param {Environment} env
   */
  constructor(mount, file, { filename, onprogress, onretry, place = "", signal, retries = RETRIES, stall = STALL, together }, env) {
    this.#reports = new ProgressReports(onprogress);
    const progress = new Progress(file.size, this.#reports.add, env.now);
    this.#context = {
      api: new Api(mount, env),
      batches: together ? Batches.shared(mount, env) : new Batches(mount, env),
      env,
      gate: new PauseGate(),
      mount,
      place,
      progress,
      source: new FileSource(file, env, filename),
      signal: this.#aborting.signal,
      retries,
      stall,
      onretry(report) {
        progress.waiting();
        queueMicrotask(() => onretry?.(report));
      },
    };
    this.done = this.#run(signal);
  }

  pause() {
    this.#context.gate.pause();
    this.#context.progress.enter("paused");
  }

  resume() {
    if (!this.#context.gate.isPaused) return;
    this.#context.gate.resume();
    this.#context.progress.enter("sending");
  }

  abort = () => {
    this.#aborting.abort(new DirectUploadFailure("aborted"));
  };

  reports() {
    return this.#reports.iterate(this.done);
  }

  /**
   * @param {AbortSignal | undefined} pageSignal
   * @returns {Promise<UploadResult>}
   */
  async #run(pageSignal) {
    const { signal } = this.#context;
    pageSignal?.addEventListener("abort", this.abort);
    if (pageSignal?.aborted) this.abort();
    try {
      return await Promise.race([this.#upload(), whenAborted(signal)]);
    } catch (error) {
      if (signal.aborted) this.#abortSession();
      throw toFailure(error);
    } finally {
      pageSignal?.removeEventListener("abort", this.abort);
      this.#session?.release();
    }
  }

  async #upload() {
    this.#context.signal.throwIfAborted();
    const earlier = await resume(this.#context);
    const result = earlier && (await this.#sendUnlessComplete(earlier));
    return result ?? this.#beginAndSend();
  }

  /**
   * Begin, and begin a second time when the cookie is not the ticket's: another tab that began at the same time replaces
   * it. A browser that does not return cookies fails again.
   */
  async #beginAndSend() {
    const { env, mount } = this.#context;
    for (let isSecond = false; ; isSecond = true) {
      const session = await begin(this.#context);
      try {
        return await this.#sendAndComplete(session);
      } catch (error) {
        const { code, status, detail, problem } = asFailure(error);
        if (code !== "not-yours" || !session.uncheckedUntil || env.now() > session.uncheckedUntil) throw error;
        if (isSecond && env.verifiedMounts.has(mount.href)) throw error;
        await this.#leaveSession(session);
        if (!isSecond) continue;
        env.advise("cookies", mount.href);
        throw new DirectUploadFailure(code, { status, detail, problem, cause: "cookies" });
      }
    }
  }

  /**
   * An upload that was completed with other bytes than the file has now cannot be resumed: return undefined.
   * @param {Session} earlier
   */
  async #sendUnlessComplete(earlier) {
    try {
      return await this.#sendAndComplete(earlier);
    } catch (error) {
      if (asFailure(error).code !== "already-complete") throw error;
      await this.#leaveSession(earlier);
      return undefined;
    }
  }

  /** @param {Session} session */
  async #leaveSession(session) {
    session.release();
    await this.#removeRecord();
    this.#context.progress.restart();
  }

  /** @param {Session} session */
  async #sendAndComplete(session) {
    const { gate, progress, signal } = this.#context;
    this.#session = session;
    if (signal.aborted) this.#abortSession(); // aborted during begin
    signal.throwIfAborted();
    if (session.uncheckedUntil) await checkCookie(session.record, this.#context);
    const sender = new SegmentSender(session, this.#context);
    if (!gate.isPaused) progress.enter("sending");
    try {
      const result = await this.#sendUntilComplete(session, sender);
      await this.#removeRecord();
      return result;
    } finally {
      sender.close();
    }
  }

  /**
   * @param {Session} session
   * @param {SegmentSender} sender
   */
  async #sendUntilComplete({ record }, sender) {
    const { gate, progress, signal, source } = this.#context;
    let etags = await sender.sendAll();
    for (let round = 1; ; round += 1) {
      await gate.wait(signal);
      await source.check(signal);
      progress.enter("finishing");
      try {
        return await this.#complete(record, etags);
      } catch (error) {
        const { code, problem } = asFailure(error);
        if (!/^segments-(missing|differ)$/.test(code) || round > ROUNDS) throw error;
        progress.enter("sending");
        etags = await sender.sendAgain(problem?.indexes);
      }
    }
  }

  /**
   * @param {Session["record"]} record
   * @param {SegmentEtag[]} etags
   */
  async #complete(record, etags) {
    const { batches, env, signal } = this.#context;
    if (record.fingerprint) await env.records.save(record); // with all ETags, in case the answer is lost
    const attempt = () => batches.complete({ id: record.id, ticket: record.ticket, segments: etags }, signal);
    const answer = await retry(attempt, env, this.#context);
    const { receipt, upload, download_url, data } = answer;
    return { receipt, upload, download_url, data };
  }

  async #removeRecord() {
    if (this.#session) await this.#context.env.records.remove(this.#session.record);
  }

  /** Abort in the application too. If the request is lost, `sweep` removes the upload later. */
  #abortSession() {
    if (!this.#session) return;
    this.#session.release();
    void this.#removeRecord();
    this.#context.api.abort(this.#session.record).catch(() => undefined);
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
