// The application's side of an upload: the middleware's HTTP API.
/** @import { Begun, Declared, Environment, Problem, Signed, Status, Ticketed, UploadResult } from "../types.d.ts" */
import { unanswered } from "./diagnosis.js";
import { DirectUploadFailure } from "./failure.js";
import { isTransient, retryAfter } from "./retry.js";

const PATIENCE = 60_000;
/** Completing a thousand segments takes its time. */
const COMPLETE_PATIENCE = 300_000;

export class Api {
  #mount;
  #env;

  /**
   * @param {URL} mount
   * @param {Pick<Environment, "fetch" | "isForbidden" | "advise">} env
   */
  constructor(mount, env) {
    this.#mount = mount;
    this.#env = env;
  }

  /**
   * @param {{ filename: string, size: number, type: string }} file
   * @param {AbortSignal} signal
   * @returns {Promise<Begun>}
   */
  begin(file, signal) {
    return this.#call("uploads", { body: file, signal });
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<string | null>} null as long as nothing was begun in this browser
   */
  async owner(signal) {
    return (await this.#call("owner", { method: "GET", signal })).owner;
  }

  /**
   * @param {Ticketed} upload
   * @param {number[]} indexes
   * @param {AbortSignal} signal
   * @returns {Promise<Signed>}
   */
  sign({ id, ticket }, indexes, signal) {
    return this.#call(`uploads/${id}/segments`, { ticket, body: { indexes }, signal });
  }

  /**
   * @param {Ticketed} upload
   * @param {AbortSignal} signal
   * @returns {Promise<Status>}
   */
  status({ id, ticket }, signal) {
    return this.#call(`uploads/${id}`, { method: "GET", ticket, signal });
  }

  /**
   * @param {Ticketed} upload
   * @param {Declared[]} segments
   * @param {AbortSignal} signal
   * @returns {Promise<UploadResult>}
   */
  complete({ id, ticket }, segments, signal) {
    return this.#call(`uploads/${id}/complete`, { ticket, body: { segments }, signal, patience: COMPLETE_PATIENCE });
  }

  /**
   * Goes out even when the page is being left.
   * @param {Ticketed} upload
   */
  async abort({ id, ticket }) {
    await this.#call(`uploads/${id}`, { method: "DELETE", ticket, keepalive: true });
  }

  /**
   * @param {string} path
   * @param {{ method?: string, ticket?: string, body?: object, signal?: AbortSignal, patience?: number,
   *           keepalive?: boolean }} request
   * @returns {Promise<any>}
   */
  async #call(path, { method = "POST", ticket, body, signal, patience = PATIENCE, keepalive = false }) {
    const timeout = AbortSignal.timeout(patience);
    /** @type {Record<string, string>} */
    const headers = {};
    if (ticket) headers["Upload-Ticket"] = ticket;
    if (body) headers["Content-Type"] = "application/json";
    try {
      const response = await this.#env.fetch(new URL(path, this.#mount), {
        method,
        headers,
        body: body && JSON.stringify(body),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        keepalive,
        credentials: "include", // a mount on a sibling origin knows us by its cookie too
        redirect: "manual", // the API never redirects: a log-in page would
      });
      return await read(response);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof DirectUploadFailure) this.#env.advise(error.code, this.#mount.href);
      else if (!timeout.aborted) throw unanswered(this.#env, this.#mount);
      else throw new DirectUploadFailure("stalled", { transient: true });
      throw error;
    }
  }
}

/** @param {Response} response */
async function read(response) {
  if (isLogIn(response)) throw new DirectUploadFailure("not-authenticated", { status: 401 });
  if (!response.ok) throw await refusal(response);
  if (response.status === 204) return undefined;
  const owner = response.headers.get("Upload-Owner") ?? "";
  return { owner, clock: serverTime(response) / 1000 || undefined, ...(await response.json()) };
}

/**
 * Whoever takes a session for expired may answer in our stead, with a page or with the way to one.
 * @param {Response} response
 */
function isLogIn({ type, ok, headers }) {
  return type === "opaqueredirect" || (ok && !!headers.get("Content-Type")?.startsWith("text/html"));
}

/** @param {Response} response */
async function refusal(response) {
  const { status, headers } = response;
  /** @type {Problem} */
  const problem = await response.json().catch(() => ({})); // a proxy in between answers in HTML
  return new DirectUploadFailure(problem.code ?? (isTransient(status) ? "network" : "refused"), {
    status,
    detail: problem.detail,
    problem,
    transient: isTransient(status),
    retryAfter: retryAfter(headers.get("Retry-After"), serverTime(response)),
  });
}

/**
 * Unix milliseconds, NaN where another origin's answer does not let us read it.
 * @param {Response} response
 */
function serverTime(response) {
  return Date.parse(response.headers.get("Date") ?? "");
}
