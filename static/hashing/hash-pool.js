import { DirectUploadFailure } from "../engine/failure.js";

const NO_WORKERS =
  "direct-upload: this page cannot start workers (CSP worker-src?). Segments are sent without ETag and verified on complete.";
/** Milliseconds after which idle workers are terminated. */
const IDLE = 10_000;
/** Jobs after which a worker is replaced: until then its memory keeps what it has read. */
const JOBS = 16;

/**
 * @typedef {{ data: Blob, signal?: AbortSignal, worker?: Worker, resolve: (etag: string) => void,
 *   reject: (reason: unknown) => void, cancel: () => void }} Job
 */

/**
 * Computes MD5s in workers, so that they delay neither the page nor the upload. In a page that cannot start workers it
 * computes them itself and logs that once; then segments should be sent before their hash is known.
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
  #isForbidden = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #idleTimer;

  /**
   * @param {number} size
   * @param {() => Worker} spawn
   */
  constructor(size, spawn) {
    this.#size = size;
    this.#spawn = spawn;
  }

  /** Whether workers can be used, as far as known. */
  get hasWorkers() {
    return !this.#isForbidden;
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
      const job = { data, signal, resolve, reject, cancel: () => this.#cancel(job) };
      signal?.addEventListener("abort", job.cancel, { once: true });
      this.#waiting.push(job);
      this.#assign();
    });
  }

  #assign() {
    clearTimeout(this.#idleTimer);
    while (this.#waiting.length && this.#running.size < (this.#isForbidden ? 1 : this.#size)) {
      const job = /** @type {Job} */ (this.#waiting.shift());
      this.#running.add(job);
      if (this.#isForbidden) void this.#runInPage(job);
      else this.#runInWorker(job);
    }
    if (!this.#running.size && this.#idle.length) this.#idleTimer = setTimeout(() => this.#terminateIdle(), IDLE);
  }

  /** @param {Job} job */
  #runInWorker(job) {
    try {
      const worker = (job.worker = this.#idle.pop() ?? this.#spawn());
      worker.onerror = () => this.#forbid();
      worker.onmessage = ({ data: { etag, code } }) => {
        this.#reuse(worker);
        if (code) job.reject(new DirectUploadFailure(code));
        else job.resolve(etag);
        this.#finish(job);
      };
      worker.postMessage(job.data);
    } catch {
      this.#forbid();
    }
  }

  /** @param {Worker} worker */
  #reuse(worker) {
    const jobs = (this.#jobs.get(worker) ?? 0) + 1;
    this.#jobs.set(worker, jobs);
    if (jobs < JOBS) this.#idle.push(worker);
    else worker.terminate();
  }

  /** @param {Job} job */
  async #runInPage(job) {
    try {
      const { readMd5 } = await import("./read-md5.js");
      job.resolve(await readMd5(job.data, job.signal));
    } catch (error) {
      job.reject(error);
    }
    this.#finish(job);
  }

  /** @param {Job} job */
  #finish(job) {
    job.signal?.removeEventListener("abort", job.cancel);
    this.#running.delete(job);
    this.#assign();
  }

  /** @param {Job} job */
  #cancel(job) {
    this.#waiting = this.#waiting.filter((other) => other !== job);
    job.worker?.terminate();
    job.reject(job.signal?.reason);
    this.#finish(job);
  }

  /** Stop using workers: the page's policy or an old browser does not allow them. */
  #forbid() {
    if (!this.#isForbidden) console.info(NO_WORKERS);
    this.#isForbidden = true;
    this.#waiting.unshift(...this.#running);
    for (const { worker } of this.#running) worker?.terminate();
    this.#running.clear();
    this.#assign();
  }

  #terminateIdle() {
    for (const worker of this.#idle.splice(0)) worker.terminate();
  }
}
