// The client of the middleware's HTTP API.
/** @import { BeginAnswer, CompleteItem, Environment, FileDescription, Problem } from "../types.d.ts" */
/** @import { SignAnswer, StatusAnswer, UploadResult, UploadTicket } from "../types.d.ts" */
import { connectionFailure } from "../transfer/diagnosis.js";
import { DirectUploadFailure } from "./failure.js";
import { isTransient, retryAfter } from "./retry.js";

const TIMEOUT = 60_000;

export class Api {
  #mount;
  #env;
  #unreadable = 0;

  /**
   * @param {URL} mount
   * @param {Pick<Environment, "fetch" | "isBlockedByCsp" | "isCrossOrigin" | "isReachable" | "advise" | "verifiedMounts">} env
   */
  constructor(mount, env) {
    this.#mount = mount;
    this.#env = env;
  }

  /**
   * @param {FileDescription} file
   * @param {AbortSignal} signal
   * @returns {Promise<BeginAnswer>}
   */
  begin(file, signal) {
    return this.#call("uploads", { body: file, signal });
  }

  /**
   * Begin or complete several uploads.
   * @param {"begin" | "complete"} operation
   * @param {(FileDescription | CompleteItem)[]} items
   * @returns {Promise<any[]>} the answer or the failure of each item
   */
  async batch(operation, items) {
    const { uploads, owner, clock, wait } = await this.#call(`batch/${operation}`, { body: { uploads: items } });
    const { href } = this.#mount;
    return uploads.map((/** @type {any} */ answer) => {
      const { status, receipt } = answer;
      if (receipt) this.#env.verifiedMounts.add(href);
      if (status < 300) return { owner, clock, ...answer };
      const failure = failureOf(status, answer, wait);
      this.#env.advise(failure.code, href);
      return failure;
    });
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<string | null>} null before the first begin in this browser
   */
  async owner(signal) {
    return (await this.#call("owner", { method: "GET", signal })).owner;
  }

  /**
   * @param {UploadTicket} upload
   * @param {number[]} indexes
   * @param {AbortSignal} signal
   * @returns {Promise<SignAnswer>}
   */
  sign({ id, ticket }, indexes, signal) {
    return this.#call(`uploads/${id}/segments`, { ticket, body: { indexes }, signal });
  }

  /**
   * @param {UploadTicket} upload
   * @param {AbortSignal} signal
   * @returns {Promise<StatusAnswer>}
   */
  status({ id, ticket }, signal) {
    return this.#call(`uploads/${id}`, { method: "GET", ticket, signal });
  }

  /**
   * @param {CompleteItem} upload
   * @param {AbortSignal} signal
   * @returns {Promise<UploadResult>} or `{ state: "sealing" }`
   */
  complete({ id, ticket, segments }, signal) {
    return this.#call(`uploads/${id}/complete`, { ticket, body: { segments }, signal });
  }

  /**
   * Abort the upload. The request is sent even while the page is being closed.
   * @param {UploadTicket} upload
   */
  async abort({ id, ticket }) {
    await this.#call(`uploads/${id}`, { method: "DELETE", ticket, keepalive: true });
  }

  /**
   * Remove a finished upload. The request is sent even while the page is being closed.
   * @param {string} receipt
   */
  async remove(receipt) {
    await this.#call(`files/${receipt}`, { method: "DELETE", keepalive: true });
  }

  /**
   * @param {string} path
   * @param {{ method?: string, ticket?: string, body?: object, signal?: AbortSignal, keepalive?: boolean }} request
   * @returns {Promise<any>}
   */
  async #call(path, { method = "POST", ticket, body, signal, keepalive = false }) {
    const timer = AbortSignal.timeout(TIMEOUT);
    /** @type {Record<string, string>} */
    const headers = {};
    if (ticket) headers["Upload-Ticket"] = ticket;
    if (body) headers["Content-Type"] = "application/json";
    try {
      const response = await this.#env.fetch(new URL(path, this.#mount), {
        method,
        headers,
        body: body && JSON.stringify(body),
        signal: signal ? AbortSignal.any([signal, timer]) : timer,
        keepalive,
        credentials: "include", // the mount may be on a sibling origin
        redirect: "manual", // the API never redirects, but a login page does
      });
      const answer = await read(response);
      if (ticket) this.#env.verifiedMounts.add(this.#mount.href); // a ticket is valid only with its cookie
      return answer;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof DirectUploadFailure) this.#env.advise(error.code, this.#mount.href);
      else if (await this.#isRefusedByCors(timer)) throw this.#crossSite();
      else if (!timer.aborted) throw connectionFailure(this.#env, this.#mount);
      else throw new DirectUploadFailure("stalled", { transient: true });
      throw error;
    }
  }

  /**
   * Return whether the application answers, but hides its answer from this page: `origins` lacks the page's origin. A
   * proxy that restarts looks the same, so this must happen twice.
   * @param {AbortSignal} timer
   */
  async #isRefusedByCors(timer) {
    const env = this.#env;
    const { href } = this.#mount;
    if (timer.aborted || env.verifiedMounts.has(href) || !env.isCrossOrigin(href) || env.isBlockedByCsp(href)) return false;
    return (await env.isReachable(href)) && ++this.#unreadable > 1;
  }

  #crossSite() {
    this.#env.advise("cross-site", this.#mount.href);
    return new DirectUploadFailure("cross-site");
  }
}

/** @param {Response} response */
async function read(response) {
  if (isLogin(response)) throw new DirectUploadFailure("not-authenticated", { status: 401 });
  if (!response.ok) throw await failureFrom(response);
  if (response.status === 204) return undefined;
  const owner = response.headers.get("Upload-Owner") ?? "";
  return { owner, clock: serverTime(response) / 1000 || undefined, wait: waitOf(response), ...(await response.json()) };
}

/**
 * Return whether a login page, or a redirect to one, answered instead of the API, as when the session has expired.
 * @param {Response} response
 */
function isLogin({ type, ok, headers }) {
  return type === "opaqueredirect" || (ok && !!headers.get("Content-Type")?.startsWith("text/html"));
}

/** @param {Response} response */
async function failureFrom(response) {
  /** @type {Problem} */
  const problem = await response.json().catch(() => ({})); // a proxy answers in HTML
  return failureOf(response.status, problem, waitOf(response));
}

/**
 * @param {number} status
 * @param {Problem} problem
 * @param {number} wait milliseconds
 */
function failureOf(status, problem, wait) {
  const { code, detail } = problem;
  const transient = isTransient(status);
  const details = { status, detail, problem, transient, retryAfter: wait };
  return new DirectUploadFailure(code ?? (transient ? "network" : "refused"), details);
}

/**
 * Return the milliseconds of `Retry-After`.
 * @param {Response} response
 */
function waitOf(response) {
  return retryAfter(response.headers.get("Retry-After"), serverTime(response));
}

/**
 * Return Unix milliseconds, or NaN when another origin hides its `Date`.
 * @param {Response} response
 */
function serverTime(response) {
  return Date.parse(response.headers.get("Date") ?? "");
}
