// Several uploads of one page share its connections: no more segments travel at once than one upload alone may
// send, and a free lane goes to the upload that has the fewest.

export class Lanes {
  /** @type {Set<Share>} */
  #shares = new Set();
  /** @type {{ share: Share, go: () => void }[]} */
  #waiting = [];

  /** @param {number} parallel */
  join(parallel) {
    const share = new Share(this, parallel);
    this.#shares.add(share);
    return share;
  }

  /** @param {Share} share */
  leave(share) {
    this.#shares.delete(share);
    this.deal();
  }

  /**
   * @param {Share} share
   * @param {AbortSignal} signal
   * @returns {Promise<void>}
   */
  wait(share, signal) {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const give = () => {
        this.#waiting = this.#waiting.filter((other) => other !== turn);
        reject(signal.reason);
      };
      const go = () => {
        signal.removeEventListener("abort", give);
        resolve();
      };
      const turn = { share, go };
      signal.addEventListener("abort", give, { once: true });
      this.#waiting.push(turn);
      this.deal();
    });
  }

  deal() {
    for (let turn; (turn = this.#next()); ) {
      this.#waiting.splice(this.#waiting.indexOf(turn), 1);
      turn.share.busy += 1;
      turn.go();
    }
  }

  #next() {
    const shares = [...this.#shares];
    const lanes = Math.max(...shares.map((share) => share.parallel));
    const busy = shares.reduce((sum, share) => sum + share.busy, 0);
    if (busy >= lanes) return undefined;
    const able = this.#waiting.filter(({ share }) => share.busy < share.limit);
    return able.sort((one, other) => one.share.busy - other.share.busy)[0];
  }
}

/** What one upload takes of the lanes: fewer after a failure, one more after each success. */
export class Share {
  busy = 0;
  #lanes;

  /**
   * @param {Lanes} lanes
   * @param {number} parallel
   */
  constructor(lanes, parallel) {
    this.#lanes = lanes;
    this.parallel = parallel;
    this.limit = parallel;
  }

  /** @param {AbortSignal} signal */
  take(signal) {
    return this.#lanes.wait(this, signal);
  }

  release() {
    this.busy -= 1;
    this.#lanes.deal();
  }

  faster() {
    this.limit = Math.min(this.parallel, this.limit + 1);
  }

  slower() {
    this.limit = Math.max(1, Math.floor(this.limit / 2));
  }

  leave() {
    this.#lanes.leave(this);
  }
}
