/** @import { Environment, RetryReport } from "../types.d.ts" */
import { DirectUploadFailure } from "./failure.js";

const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
const LONGEST_RETRY_AFTER = 600_000;
/** Retries after a 500: an application that raised an exception rarely recovers soon. */
const APPLICATION_RETRIES = 3;

/**
 * Run `attempt` until it succeeds, fails permanently, or has failed `retries` times in a row. An attempt calls
 * `progressed()` when it got further than all before: the count starts again. Failures while offline do not count.
 * @template T
 * @param {(progressed: () => void) => Promise<T>} attempt
 * @param {Environment} env
 * @param {{ retries: number, signal: AbortSignal, onretry?: (report: RetryReport) => void }} options
 */
export async function retry(attempt, env, { retries, signal, onretry }) {
  for (let failures = 0; ; ) {
    try {
      return await attempt(() => { failures = 0; });
    } catch (error) {
      signal.throwIfAborted();
      const failure = asFailure(error);
      const limit = failure.status === 500 ? Math.min(retries, APPLICATION_RETRIES) : retries;
      if (!failure.transient || failures >= limit) throw failure;
      if (env.isOnline()) failures += 1;
      const delay = Math.max(failure.retryAfter, backoff(failures, env.random()));
      onretry?.({ failure, attempt: failures, delay });
      await sleepOrOnline(env, delay, signal);
    }
  }
}

/**
 * Return the delay in milliseconds: exponential backoff with full jitter, so that browsers which failed together do not
 * retry together.
 * @param {number} failures
 * @param {number} random
 */
export function backoff(failures, random) {
  return random * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (failures - 1));
}

/**
 * Sleep, but no longer than until the network is back. A browser may be wrong about being offline, so there is a retry
 * from time to time even then.
 * @param {Environment} env
 * @param {number} delay
 * @param {AbortSignal} signal
 */
async function sleepOrOnline(env, delay, signal) {
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const pause = env.isOnline() ? delay : Math.max(delay, LONGEST_DELAY);
  try {
    await Promise.race([env.sleep(pause, either), env.whenOnline(either)]);
  } finally {
    ending.abort();
  }
}

/**
 * Return the milliseconds of a `Retry-After` header, which has seconds or a date.
 * @param {string | null | undefined} header
 * @param {number} now the server's time in Unix milliseconds; with NaN, dates are ignored
 */
export function retryAfter(header, now) {
  if (!header) return 0;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Math.min(LONGEST_RETRY_AFTER, Math.max(0, wait || 0));
}

/** @param {number} status */
export function isTransient(status) {
  return status >= 500 || [408, 425, 429].includes(status);
}

/**
 * Return the error if it is an upload's failure, and rethrow any other, which is a bug.
 * @param {unknown} error
 */
export function asFailure(error) {
  if (error instanceof DirectUploadFailure) return error;
  throw error;
}

/**
 * Return any error as a failure. One that is not a failure yet is a bug, or comes from the browser or an extension.
 * @param {unknown} error
 */
export function toFailure(error) {
  if (error instanceof DirectUploadFailure) return error;
  // Without long words, since one may be a presigned URL.
  return new DirectUploadFailure("unexpected", { detail: String(error).replace(/\S{40,}/g, "…") });
}
