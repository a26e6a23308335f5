// Several files as one upload.
/** @import { Environment, ProgressReport, Sendable, State, UploadAllOptions, UploadResult, UploadRun } from "../types.d.ts" */
import { start } from "./upload.js";
import { ProgressReports } from "./progress-reports.js";

/** The state of the whole is the first of these that one of the uploads has. @type {State[]} */
const STATES = ["sending", "waiting", "finishing", "paused"];

/**
 * @param {URL} mount
 * @param {Iterable<Sendable>} files
 * @param {UploadAllOptions} [options]
 * @param {Environment} [env]
 * @returns {UploadRun<UploadResult[]>}
 */
export function startAll(mount, files, options = {}, env) {
  return new Uploads([...files], options, (file, each) => start(mount, file, each, env));
}

/** @implements {UploadRun<UploadResult[]>} */
class Uploads {
  #aborting = new AbortController();
  #files;
  #options;
  #start;
  #reports;
  /** @type {(ProgressReport | undefined)[]} */
  #latest = [];
  #total;
  /** @type {Set<UploadRun>} */
  #running = new Set();
  #isPaused = false;

  /**
   * @param {Sendable[]} files
   * @param {UploadAllOptions} options
   * @param {(file: Sendable, options: UploadAllOptions & { together: boolean }) => UploadRun} start
   */
  constructor(files, { onprogress, ...options }, start) {
    this.#files = files;
    this.#options = options;
    this.#start = start;
    this.#reports = new ProgressReports(onprogress);
    this.#total = files.reduce((sum, { size }) => sum + size, 0);
    this.done = this.#run(Math.min(options.concurrency ?? Infinity, files.length));
  }

  pause() {
    this.#isPaused = true;
    for (const run of this.#running) run.pause();
  }

  resume() {
    this.#isPaused = false;
    for (const run of this.#running) run.resume();
  }

  abort() {
    this.#aborting.abort();
  }

  reports() {
    return this.#reports.iterate(this.done);
  }

  /** @param {number} concurrency */
  async #run(concurrency) {
    /** @type {PromiseSettledResult<UploadResult>[]} */
    const outcomes = [];
    const waiting = this.#files.entries();
    const worker = async () => {
      for (const [index, file] of waiting) [outcomes[index]] = await Promise.allSettled([this.#upload(file, index)]);
    };
    await Promise.all(Array.from({ length: Math.max(1, concurrency) }, worker));
    return outcomes.map((outcome) => {
      if (outcome.status === "rejected") throw outcome.reason;
      return outcome.value;
    });
  }

  /**
   * @param {Sendable} file
   * @param {number} index
   */
  async #upload(file, index) {
    const own = this.#aborting.signal;
    const signal = this.#options.signal ? AbortSignal.any([own, this.#options.signal]) : own;
    const onprogress = (/** @type {ProgressReport} */ report) => this.#report(report, index);
    const run = this.#start(file, { ...this.#options, signal, onprogress, together: true });
    this.#running.add(run);
    if (this.#isPaused) run.pause();
    try {
      const result = await run.done;
      queueMicrotask(() => this.#options.onfile?.(file, result));
      return result;
    } finally {
      this.#running.delete(run);
      const latest = this.#latest[index];
      if (latest) this.#latest[index] = { ...latest, speed: 0 };
    }
  }

  /**
   * @param {ProgressReport} report
   * @param {number} index
   */
  #report(report, index) {
    this.#latest[index] = report;
    const reports = this.#latest.filter((each) => each !== undefined);
    const total = this.#total;
    const loaded = reports.reduce((sum, each) => sum + each.loaded, 0);
    const speed = reports.reduce((sum, each) => sum + each.speed, 0);
    const state = STATES.find((state) => reports.some((each) => each.state === state)) ?? "starting";
    this.#reports.add({ loaded, total, state, speed, timeLeft: speed ? (total - loaded) / speed : undefined });
  }
}
