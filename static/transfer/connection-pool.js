/** What browsers allow for one host over HTTP/1.1. */
const MOST = 6;

/**
 * The connections that all uploads of a page share. Together they send no more segments at once than one upload alone
 * may send, or as many as the browser allows if small files are among them. A free connection goes to the upload that has
 * the fewest.
 */
export class ConnectionPool {
  /** @type {Set<ConnectionShare>} */
  #shares = new Set();
  /** @type {{ share: ConnectionShare, grant: () => void }[]} */
  #waiting = [];
  /**
   * The longest time without progress, in milliseconds, in a request that succeeded. It is long behind a service worker,
   * which hides the progress.
   */
  longestGap = 0;

  /** Whether something is being sent. */
  get isBusy() {
    return [...this.#shares].some(({ busy }) => busy);
  }

  /**
   * @param {number} parallel
   * @param {boolean} [isSmall] whether the file is sent so quickly that its requests mostly wait for answers
   */
  join(parallel, isSmall) {
    const share = new ConnectionShare(this, parallel, isSmall ? Math.max(parallel, MOST) : parallel);
    this.#shares.add(share);
    return share;
  }

  /** @param {ConnectionShare} share */
  leave(share) {
    this.#shares.delete(share);
    this.assign();
  }

  /**
   * @param {ConnectionShare} share
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  wait(share, signal) {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const cancel = () => {
        this.#waiting = this.#waiting.filter((other) => other !== request);
        reject(signal.reason);
      };
      const grant = () => {
        signal.removeEventListener("abort", cancel);
        resolve();
      };
      const request = { share, grant };
      signal.addEventListener("abort", cancel, { once: true });
      this.#waiting.push(request);
      this.assign();
    });
  }

  assign() {
    for (let next; (next = this.#next()); ) {
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      next.share.busy += 1;
      next.grant();
    }
  }

  #next() {
    const shares = [...this.#shares];
    const most = Math.max(...shares.map((share) => share.most));
    const busy = shares.reduce((sum, share) => sum + share.busy, 0);
    if (busy >= most) return undefined;
    const ready = this.#waiting.filter(({ share }) => share.busy < share.limit);
    return ready.sort((one, other) => one.share.busy - other.share.busy)[0];
  }
}

/** The connections of one upload: half as many after a failure, one more after each success. */
export class ConnectionShare {
  busy = 0;
  #pool;

  /**
   * @param {ConnectionPool} pool
   * @param {number} parallel
   * @param {number} most how many segments all uploads together may send while this one is among them
   */
  constructor(pool, parallel, most) {
    this.#pool = pool;
    this.most = most;
    this.parallel = parallel;
    this.limit = parallel;
  }

  /** @param {AbortSignal} signal */
  acquire(signal) {
    return this.#pool.wait(this, signal);
  }

  release() {
    this.busy -= 1;
    this.#pool.assign();
  }

  /** @param {number} gap the request's longest time without progress, in milliseconds */
  succeeded(gap) {
    this.#pool.longestGap = Math.max(this.#pool.longestGap, gap);
    this.limit = Math.min(this.parallel, this.limit + 1);
  }

  failed() {
    this.limit = Math.max(1, Math.floor(this.limit / 2));
  }

  leave() {
    this.#pool.leave(this);
  }
}
