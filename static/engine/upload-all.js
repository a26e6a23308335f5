// Several files as one upload: so many at once, progress as one, and every result.
/** @import { Environment, ProgressReport, Run, Sendable, State, UploadAllOptions, UploadResult } from "../types.d.ts" */
import { start } from "./upload.js";
import { Reports } from "./progress-reports.js";

const CONCURRENCY = 3;
/** What several uploads are doing, if one of them does. @type {State[]} */
const TELLING = ["sending", "waiting", "finishing", "paused"];

/**
 * @param {URL} mount
 * @param {Iterable<Sendable>} files
 * @param {UploadAllOptions} [options]
 * @param {Environment} [env]
 * @returns {Run<UploadResult[]>}
 */
export function startAll(mount, files, options = {}, env) {
  return new Uploads([...files], options, (file, each) => start(mount, file, each, env));
}

/** @implements {Run<UploadResult[]>} */
class Uploads {
  #aborting = new AbortController();
  #files;
  #options;
  #start;
  #reports;
  /** @type {(ProgressReport | undefined)[]} */
  #latest = [];
  /** @type {Set<Run>} */
  #runs = new Set();
  #isPaused = false;

  /**
   * @param {Sendable[]} files
   * @param {UploadAllOptions} options
   * @param {(file: Sendable, options: UploadAllOptions) => Run} start
   */
  constructor(files, { onprogress, ...options }, start) {
    this.#files = files;
    this.#options = options;
    this.#start = start;
    this.#reports = new Reports(onprogress);
    this.done = this.#all(options.concurrency ?? CONCURRENCY);
  }

  pause() {
    this.#isPaused = true;
    for (const run of this.#runs) run.pause();
  }

  resume() {
    this.#isPaused = false;
    for (const run of this.#runs) run.resume();
  }

  abort() {
    this.#aborting.abort();
  }

  reports() {
    return this.#reports.until(this.done);
  }

  /** @param {number} concurrency */
  async #all(concurrency) {
    /** @type {PromiseSettledResult<UploadResult>[]} */
    const outcomes = [];
    const waiting = this.#files.entries();
    const worker = async () => {
      for (const [index, file] of waiting) [outcomes[index]] = await Promise.allSettled([this.#one(file, index)]);
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
  async #one(file, index) {
    const own = this.#aborting.signal;
    const signal = this.#options.signal ? AbortSignal.any([own, this.#options.signal]) : own;
    const onprogress = (/** @type {ProgressReport} */ report) => this.#tell(report, index);
    const run = this.#start(file, { ...this.#options, signal, onprogress });
    this.#runs.add(run);
    if (this.#isPaused) run.pause();
    try {
      const result = await run.done;
      this.#options.onfile?.(file, result);
      return result;
    } finally {
      this.#runs.delete(run);
      const latest = this.#latest[index];
      if (latest) this.#latest[index] = { ...latest, speed: 0 };
    }
  }

  /**
   * @param {ProgressReport} report
   * @param {number} index
   */
  #tell(report, index) {
    this.#latest[index] = report;
    const reports = this.#latest.filter((each) => each !== undefined);
    const total = this.#files.reduce((sum, { size }) => sum + size, 0);
    const loaded = reports.reduce((sum, each) => sum + each.loaded, 0);
    const speed = reports.reduce((sum, each) => sum + each.speed, 0);
    const state = TELLING.find((state) => reports.some((each) => each.state === state)) ?? "starting";
    this.#reports.add({ loaded, total, state, speed, timeLeft: speed ? (total - loaded) / speed : undefined });
  }
}
