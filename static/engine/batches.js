// The begin and complete requests of uploads to one mount: what comes together is sent together.
/** @import { BeginAnswer, CompleteItem, Environment, FileDescription, UploadResult } from "../types.d.ts" */
import { Api } from "./api.js";

/** Uploads in one request. */
const SIZE = 100;
/** Segments that one request declares, so that it stays below the limits of proxies. */
const SEGMENTS = 5000;
/** Milliseconds that a finished upload waits for others, while others are being sent. The wait grows with their number. */
const FIRST_WAIT = 50;
const LONGEST_WAIT = 800;
/** Milliseconds after which a complete request is repeated at the earliest, while the application seals the upload. */
const SEALING_PAUSE = 1000;
/** Milliseconds for which the cookie is taken to be valid when the application's clock is not known. */
const SHORT = 60_000;
/** Requests to complete uploads at once. Each one occupies a worker of the application. */
const PARALLEL = 2;

const never = new AbortController().signal;

/**
 * @template Item, Result
 * @typedef {{ item: Item, signal: AbortSignal, resolve: (result: Result) => void, reject: (reason: unknown) => void }} Waiting
 */

export class Batches {
  #mount;
  #api;
  #env;
  /** @type {Waiting<FileDescription, BeginAnswer>[]} */
  #beginning = [];
  /** @type {Waiting<CompleteItem, UploadResult>[]} */
  #completing = [];
  #requests = 0;
  #wait = FIRST_WAIT;
  /** @type {AbortController | undefined} */
  #timer;

  /**
   * @param {URL} mount
   * @param {Environment} env
   */
  constructor(mount, env) {
    this.#mount = mount.href;
    this.#api = new Api(mount, env);
    this.#env = env;
  }

  /**
   * Return those that the uploads of this page share.
   * @param {URL} mount
   * @param {Environment} env
   */
  static shared(mount, env) {
    const found = env.batches.get(mount.href) ?? new Batches(mount, env);
    env.batches.set(mount.href, found);
    return found;
  }

  /**
   * @param {FileDescription} item
   * @param {AbortSignal} signal
   * @returns {Promise<BeginAnswer>}
   */
  begin(item, signal) {
    return new Promise((resolve, reject) => {
      if (this.#beginning.push({ item, signal, resolve, reject }) === 1) void this.#beginAll();
    });
  }

  /** Begin all uploads that come within a moment. */
  async #beginAll() {
    for (let count = 0; count < this.#beginning.length; await this.#env.nextTask()) count = this.#beginning.length;
    const all = this.#beginning.splice(0);
    while (all.length) {
      const some = present(all.splice(0, SIZE));
      if (some.length) await this.#beginSome(some);
    }
  }

  /**
   * Until the browser has the cookie, only one request may begin uploads: two at once would get two cookies, and the
   * tickets bound to the first would be invalid.
   * @param {Waiting<FileDescription, BeginAnswer>[]} waiting
   */
  #beginSome(waiting) {
    const { cookies, now, withLock } = this.#env;
    const [{ item, signal }, other] = waiting;
    const request = async () =>
      other ? this.#api.batch("begin", waiting.map(({ item }) => item)) : [await this.#api.begin(item, signal)];
    return settle(waiting, async () => {
      const hasCookie = now() < (cookies.get(this.#mount) ?? 0);
      const answers = await (hasCookie ? request() : withLock(request, other ? never : signal));
      for (const { expires, clock } of answers) {
        if (expires) cookies.set(this.#mount, now() + (clock ? (expires - clock) * 500 : SHORT));
      }
      return answers;
    });
  }

  /**
   * Complete an upload, however long the application seals it.
   * @param {CompleteItem} item
   * @param {AbortSignal} signal
   * @returns {Promise<UploadResult>}
   */
  complete(item, signal) {
    return new Promise((resolve, reject) => {
      this.#completing.push({ item, signal, resolve, reject });
      this.#schedule();
    });
  }

  /** Wait for other uploads only while there are some, so that the last one is completed at once. */
  #schedule() {
    const { connections, sleep } = this.#env;
    if (!this.#completing.length || this.#requests >= PARALLEL) return;
    if (!connections.isBusy) return this.#completeSome();
    if (this.#timer || this.#requests) return;
    this.#timer = new AbortController();
    sleep(this.#wait, this.#timer.signal).then(() => this.#completeSome(), () => undefined);
  }

  #completeSome() {
    this.#timer?.abort();
    this.#timer = undefined;
    const waiting = present(this.#take());
    const { length } = waiting;
    this.#wait = length > 1 ? Math.min(LONGEST_WAIT, 2 * this.#wait) : FIRST_WAIT;
    if (length) void this.#completeWith(waiting);
    else this.#schedule();
  }

  #take() {
    let left = SEGMENTS;
    const full = this.#completing.findIndex(({ item }, at) => at === SIZE || (left -= item.segments.length) < 0);
    return this.#completing.splice(0, full < 0 ? SIZE : full || 1);
  }

  /** @param {Waiting<CompleteItem, UploadResult>[]} waiting */
  async #completeWith(waiting) {
    const { now, sleep } = this.#env;
    const again = now() + SEALING_PAUSE;
    this.#requests += 1;
    const [{ item, signal }, other] = waiting;
    const sealing = await settle(waiting, async () =>
      other ? this.#api.batch("complete", waiting.map(({ item }) => item)) : [await this.#api.complete(item, signal)]);
    this.#requests -= 1;
    this.#schedule();
    if (!sealing.length) return;
    await sleep(Math.max(0, again - now()), never);
    this.#completing.push(...sealing.reverse()); // the first ones are being sealed, the last ones may not have begun
    this.#schedule();
  }
}

/**
 * Remove the uploads that were aborted meanwhile.
 * @template Item, Result
 * @param {Waiting<Item, Result>[]} waiting
 */
function present(waiting) {
  for (const { signal, reject } of waiting) if (signal.aborted) reject(signal.reason);
  return waiting.filter(({ signal }) => !signal.aborted);
}

/**
 * Give each upload its answer or its failure, and return those that are still being sealed.
 * @template Item, Result
 * @param {Waiting<Item, Result>[]} waiting
 * @param {() => Promise<any[]>} request
 */
async function settle(waiting, request) {
  /** @type {Waiting<Item, Result>[]} */
  const sealing = [];
  try {
    const answers = await request();
    for (const each of waiting) {
      const answer = answers.shift();
      if (answer instanceof Error) each.reject(answer);
      else if (answer.state === "sealing") sealing.push(each);
      else each.resolve(answer);
    }
  } catch (error) {
    for (const { reject } of waiting) reject(error);
  }
  return sealing;
}
