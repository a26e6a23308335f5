// What a browser keeps from scripts: why there was no answer.
/** @import { Environment } from "../types.d.ts" */
import { DirectUploadFailure } from "./failure.js";

/** Attempts in a row of which not a byte went out, before anything but the network is suspected. */
const SUSPICIOUS = 3;

/** Why storage does not answer. One for each upload. */
export class Diagnosis {
  #env;
  #silent = 0;
  #isCors = false;

  /** @param {Environment} env */
  constructor(env) {
    this.#env = env;
  }

  /** Bytes went out: so the browser was allowed to send them. */
  moved() {
    this.#silent = 0;
    this.#isCors = false;
  }

  /**
   * The failure, with its cause as far as one can know. A browser that may not send says the same as one that cannot,
   * so storage is asked something harmless that needs no permission. It may also be a proxy that is starting again,
   * so trying goes on.
   * @param {DirectUploadFailure} failure
   * @param {string} url
   */
  async of(failure, url) {
    if (failure.code !== "network" || !url) return failure;
    this.#silent += 1;
    if (this.#silent === SUSPICIOUS) this.#isCors = this.#env.isOnline() && (await this.#env.isReachable(url));
    if (!this.#isCors) return failure;
    this.#env.advise("cors", url);
    return new DirectUploadFailure("network", { cause: "cors", transient: true });
  }
}

/**
 * A connection that brought no answer.
 * @param {Pick<Environment, "isForbidden" | "advise">} env
 * @param {string | URL} url
 */
export function unanswered(env, url) {
  if (!env.isForbidden(String(url))) return new DirectUploadFailure("network", { transient: true });
  env.advise("csp", String(url));
  return new DirectUploadFailure("network", { cause: "csp" });
}
