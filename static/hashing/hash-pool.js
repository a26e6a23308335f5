import { DirectUploadFailure } from "../engine/failure.js";

const NO_WORKERS =
  "direct-upload: no workers here (CSP worker-src?). Segments are sent without ETag, and compared in storage at the end.";
/** Milliseconds after which workers that have nothing to do are let go. */
const IDLE = 10_000;
/** Jobs after which a worker is let go for a new one: until then what it has read piles up in its memory. */
const JOBS = 16;

/**
 * @typedef {{ data: Blob, signal?: AbortSignal, worker?: Worker, resolve: (etag: string) => void,
 *   reject: (reason: unknown) => void, drop: () => void }} Job
 */

/**
 * Computes MD5s in workers, so that neither the page nor an upload waits for them. Where a page may have no workers it
 * computes them itself, in slices, and says so once; then nobody should wait for them before sending.
 */
export class HashPool {
  #size;
  #spawn;
  /** @type {Worker[]} */
  #idle = [];
  /** @type {WeakMap<Worker, number>} */
  #jobs = new WeakMap();
  /** @type {Set<Job>} */
  #running = new Set();
  /** @type {Job[]} */
  #waiting = [];
  #forbidden = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #rest;

  /**
   * @param {number} size
   * @param {() => Worker} spawn
   */
  constructor(size, spawn) {
    this.#size = size;
    this.#spawn = spawn;
  }

  /** Whether there are any, as far as it is known. */
  get hasWorkers() {
    return !this.#forbidden;
  }

  /**
   * @param {Blob} data
   * @param {AbortSignal} [signal]
   * @returns {Promise<string>}
   */
  hash(data, signal) {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      /** @type {Job} */
      const job = { data, signal, resolve, reject, drop: () => this.#drop(job) };
      signal?.addEventListener("abort", job.drop, { once: true });
      this.#waiting.push(job);
      this.#deal();
    });
  }

  #deal() {
    clearTimeout(this.#rest);
    while (this.#waiting.length && this.#running.size < (this.#forbidden ? 1 : this.#size)) {
      const job = /** @type {Job} */ (this.#waiting.shift());
      this.#running.add(job);
      if (this.#forbidden) void this.#here(job);
      else this.#give(job);
    }
    if (!this.#running.size && this.#idle.length) this.#rest = setTimeout(() => this.#letGo(), IDLE);
  }

  /** @param {Job} job */
  #give(job) {
    try {
      const worker = (job.worker = this.#idle.pop() ?? this.#spawn());
      worker.onerror = () => this.#forbid();
      worker.onmessage = ({ data: { etag, code } }) => {
        this.#rested(worker);
        if (code) job.reject(new DirectUploadFailure(code));
        else job.resolve(etag);
        this.#finished(job);
      };
      worker.postMessage(job.data);
    } catch {
      this.#forbid();
    }
  }

  /** @param {Worker} worker */
  #rested(worker) {
    const jobs = (this.#jobs.get(worker) ?? 0) + 1;
    this.#jobs.set(worker, jobs);
    if (jobs < JOBS) this.#idle.push(worker);
    else worker.terminate();
  }

  /** @param {Job} job */
  async #here(job) {
    try {
      const { readMd5 } = await import("./read-md5.js");
      job.resolve(await readMd5(job.data, job.signal));
    } catch (error) {
      job.reject(error);
    }
    this.#finished(job);
  }

  /** @param {Job} job */
  #finished(job) {
    job.signal?.removeEventListener("abort", job.drop);
    this.#running.delete(job);
    this.#deal();
  }

  /** @param {Job} job */
  #drop(job) {
    this.#waiting = this.#waiting.filter((other) => other !== job);
    job.worker?.terminate();
    job.reject(job.signal?.reason);
    this.#finished(job);
  }

  /** A policy of the page's, or an old browser, does not let us have workers. */
  #forbid() {
    if (!this.#forbidden) console.info(NO_WORKERS);
    this.#forbidden = true;
    this.#waiting.unshift(...this.#running);
    for (const { worker } of this.#running) worker?.terminate();
    this.#running.clear();
    this.#deal();
  }

  #letGo() {
    for (const worker of this.#idle.splice(0)) worker.terminate();
  }
}
