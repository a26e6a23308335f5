/** @import { Environment, PutAnswer, PutRequest, SignedSegment } from "../types.d.ts" */
import { unanswered } from "./diagnosis.js";
import { DirectUploadFailure } from "./failure.js";
import { isTransient, retryAfter } from "./retry.js";

/** What storage answers to a segment whose MD5 is another one: Swift 422, S3 400. */
export const DAMAGED = [400, 422];
/**
 * These are about the presigned URL (401, 403, 404), the moment (409, 499) or what the network made of the bytes.
 */
const PASSING = [401, 403, 404, 409, 499, ...DAMAGED];

/**
 * @param {string | undefined} etag the MD5 in hex
 * @param {SignedSegment["checksum"]} checksum how storage takes it
 * @returns {Record<string, string>}
 */
export function checksumHeader(etag, { header, encoding } = { header: "ETag", encoding: "hex" }) {
  if (!etag) return {};
  if (encoding === "hex") return { [header]: etag };
  const bytes = (etag.match(/../g) ?? []).map((pair) => parseInt(pair, 16));
  return { [header]: btoa(String.fromCharCode(...bytes)) };
}

/**
 * PUTs one segment; cuts the connection when nothing moves for `stall` milliseconds.
 * @param {Omit<PutRequest, "signal"> & { signal: AbortSignal, stall: number }} request
 * @param {Environment} env
 */
export async function transfer({ stall, signal, onprogress, ...request }, env) {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  let moved = env.now();
  const travelled = (/** @type {number} */ loaded) => {
    if (either.aborted) return;
    moved = env.now();
    onprogress(Math.min(loaded, request.body.size));
  };
  const stalled = async () => {
    for (let left = stall; left > 0; left = moved + stall - env.now()) await env.sleep(left, either);
    throw new DirectUploadFailure("stalled", { transient: true });
  };
  try {
    const answer = await Promise.race([env.put({ ...request, signal: either, onprogress: travelled }), stalled()]);
    if (answer.status === 0) throw unanswered(env, request.url);
    judge(answer);
  } finally {
    over.abort();
  }
}

/** @param {PutAnswer} answer */
function judge({ status, retryAfter: header, date }) {
  if (status >= 200 && status < 300) return;
  throw new DirectUploadFailure("storage-error", {
    status,
    detail: `Storage answered ${status}.`,
    transient: isTransient(status) || PASSING.includes(status),
    retryAfter: retryAfter(header, Date.parse(date ?? "")),
  });
}
