/** @import { Environment, PutAnswer, PutRequest } from "../types.d.ts" */
import { connectionFailure } from "./diagnosis.js";
import { DirectUploadFailure } from "../engine/failure.js";
import { isTransient, retryAfter } from "../engine/retry.js";

/** The answers to a segment whose bytes have another MD5: Swift's and S3's. */
export const DAMAGED = [422, 400];
/** Errors of the presigned URL (401, 403, 404), of this moment (409, 499) or of the bytes that arrived. */
const RETRYABLE = [401, 403, 404, 409, 499, ...DAMAGED];

/**
 * PUT one segment. Abort the request when there is no progress for `stall` milliseconds. Return the longest time without
 * progress.
 * @param {Omit<PutRequest, "signal"> & { signal: AbortSignal, stall: number }} request
 * @param {Environment} env
 */
export async function putSegment({ stall, signal, onprogress, ...request }, env) {
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  let movedAt = env.now();
  let gap = 0;
  const measure = () => {
    gap = Math.max(gap, env.now() - movedAt);
    movedAt = env.now();
  };
  const moved = (/** @type {number} */ loaded) => {
    if (either.aborted) return;
    measure();
    onprogress(Math.min(loaded, request.body.size));
  };
  const stalled = async () => {
    for (let left = stall; left > 0; left = movedAt + stall - env.now()) await env.sleep(left, either);
    throw new DirectUploadFailure("stalled", { transient: true });
  };
  try {
    const answer = await Promise.race([env.put({ ...request, signal: either, onprogress: moved }), stalled()]);
    if (answer.status === 0) throw connectionFailure(env, request.url);
    checkStatus(answer);
    measure();
    return gap;
  } finally {
    ending.abort();
  }
}

/** @param {PutAnswer} answer */
function checkStatus({ status, retryAfter: header, date }) {
  if (status >= 200 && status < 300) return;
  throw new DirectUploadFailure("storage-error", {
    status,
    detail: `Storage answered ${status}.`,
    transient: isTransient(status) || RETRYABLE.includes(status),
    retryAfter: retryAfter(header, Date.parse(date ?? "")),
  });
}
