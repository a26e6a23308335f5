// Why a request has no answer. Browsers do not tell scripts the reason.
/** @import { Environment } from "../types.d.ts" */
import { DirectUploadFailure } from "../engine/failure.js";

/** After so many attempts in a row that sent no byte, something else than the network may be the cause. */
const SUSPICIOUS = 3;

/** The diagnosis of one upload's connection to storage. */
export class Diagnosis {
  #env;
  #attempts = 0;
  #isCors = false;

  /** @param {Environment} env */
  constructor(env) {
    this.#env = env;
  }

  /** Note that bytes were sent, which means that CORS allows the request. */
  bytesSent() {
    this.#attempts = 0;
    this.#isCors = false;
  }

  /**
   * Return the failure with its cause, if that can be found. A request that CORS forbids looks like a broken network,
   * so after some attempts this sends storage a request that needs no permission. The failure stays transient, since a
   * proxy that restarts looks the same.
   * @param {DirectUploadFailure} failure
   * @param {string} url
   */
  async explain(failure, url) {
    if (failure.code !== "network" || !url) return failure;
    this.#attempts += 1;
    if (this.#attempts === SUSPICIOUS) this.#isCors = this.#env.isOnline() && (await this.#env.isReachable(url));
    if (!this.#isCors) return failure;
    this.#env.advise("cors", url);
    return new DirectUploadFailure("network", { cause: "cors", transient: true });
  }
}

/**
 * Return the failure of a request that got no answer.
 * @param {Pick<Environment, "isBlockedByCsp" | "advise">} env
 * @param {string | URL} url
 */
export function connectionFailure(env, url) {
  if (!env.isBlockedByCsp(String(url))) return new DirectUploadFailure("network", { transient: true });
  env.advise("csp", String(url));
  return new DirectUploadFailure("network", { cause: "csp" });
}
