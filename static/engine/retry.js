/** @import { Environment, RetryReport } from "../types.d.ts" */
import { DirectUploadFailure } from "./failure.js";

const FIRST = 500;
const LONGEST = 30_000;
/** An application that fails by itself (500) rarely recovers while we ask. */
const APPLICATION_RETRIES = 3;

/**
 * Runs `attempt` until it succeeds, fails for good, or has failed `retries` times in a row. `moved()` says that
 * it got further than ever before: the count starts anew. While the browser is offline nothing is counted.
 * @template T
 * @param {(moved: () => void) => Promise<T>} attempt
 * @param {Environment} env
 * @param {{ retries: number, signal: AbortSignal, onretry?: (report: RetryReport) => void }} options
 */
export async function persist(attempt, env, { retries, signal, onretry }) {
  for (let failures = 0; ; ) {
    try {
      return await attempt(() => { failures = 0; });
    } catch (error) {
      signal.throwIfAborted();
      const failure = failureOf(error);
      const limit = failure.status === 500 ? Math.min(retries, APPLICATION_RETRIES) : retries;
      if (!failure.transient || failures >= limit) throw failure;
      if (env.isOnline()) failures += 1;
      const delay = Math.max(failure.retryAfter, backoff(failures, env.random()));
      onretry?.({ failure, attempt: failures, delay });
      await rest(env, delay, signal);
    }
  }
}

/**
 * Exponential with full jitter: many browsers that failed together do not come back together.
 * @param {number} failures
 * @param {number} random
 */
export function backoff(failures, random) {
  return random * Math.min(LONGEST, FIRST * 2 ** (failures - 1));
}

/**
 * Waits, but no longer than until the network is back. A browser may think itself offline by mistake, so one
 * that does still tries from time to time.
 * @param {Environment} env
 * @param {number} delay
 * @param {AbortSignal} signal
 */
async function rest(env, delay, signal) {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const pause = env.isOnline() ? delay : Math.max(delay, LONGEST);
  try {
    await Promise.race([env.sleep(pause, either), env.backOnline(either)]);
  } finally {
    over.abort();
  }
}

const LONGEST_ASKED = 600_000;

/**
 * `Retry-After` in milliseconds: seconds, or a date, taken against `now` (Unix milliseconds): by the clock of who said
 * so, since ours may be wrong. NaN where that is hidden, and then a date says nothing.
 * @param {string | null | undefined} header
 * @param {number} now
 */
export function retryAfter(header, now) {
  if (!header) return 0;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Math.min(LONGEST_ASKED, Math.max(0, wait || 0));
}

/** @param {number} status */
export function isTransient(status) {
  return status >= 500 || [408, 425, 429].includes(status);
}

/**
 * What was caught, when it is a failure of the upload's. Anything else is a mistake of ours and goes on.
 * @param {unknown} error
 */
export function failureOf(error) {
  if (error instanceof DirectUploadFailure) return error;
  throw error;
}
