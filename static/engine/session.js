// The start of an upload: a new one, or one that is resumed.
/** @import { Environment, RenewedTicket, ResumeRecord, SignAnswer, StatusAnswer, StoredSegment } from "../types.d.ts" */
/** @import { Context } from "../transfer/segment-sender.js" */
import { asFailure, retry } from "./retry.js";

/** Milliseconds after a begin in which another tab's first begin may replace the cookie. */
const COOKIE_RACE = 60_000;
/** Bytes of a file that is sent without checking the cookie first: complete finds out as soon. */
const SMALL_FILE = 256 * 1024;

/**
 * An upload that this page carries out: its resume record, the segments in storage, and the first presigned URLs.
 * `uncheckedUntil` is the time until which the cookie may not be the ticket's.
 * @typedef {{ record: ResumeRecord, stored: StoredSegment[], signed?: SignAnswer, release: () => void,
 *   uncheckedUntil?: number }} Session
 */

/**
 * Begin a new upload. Its record is saved as soon as the file's fingerprint is known, which nothing waits for.
 * @param {Context} context
 * @returns {Promise<Session>}
 */
export async function begin(context) {
  const { batches, env, mount, place, signal, source } = context;
  const isUnchecked = !env.verifiedMounts.has(mount.href);
  const fingerprint = source.fingerprint(signal);
  fingerprint.catch(() => undefined); // complete finds out
  const begun = await retry(() => batches.begin(source.description, signal), env, context);
  const { segments, clock, ...plan } = begun;
  env.owners.set(mount.href, plan.owner);
  const record = { ...plan, mount: mount.href, fingerprint: "", place, etags: [] };
  const release = (await env.claim(record.id)) ?? (() => undefined);
  void fingerprint.then((its) => {
    record.fingerprint = its;
    return env.records.save(record);
  }, () => undefined);
  const uncheckedUntil = isUnchecked ? env.now() + COOKIE_RACE : undefined;
  return { record, stored: [], signed: { segments, clock }, release, uncheckedUntil };
}

/**
 * Throw `not-yours` before anything is sent when the browser does not return the cookie. A page checks this once: uploads
 * that begin together share the check.
 * @param {ResumeRecord} record
 * @param {Context} context
 */
export async function checkCookie(record, { api, env: { cookieChecks, verifiedMounts }, mount: { href }, signal, source }) {
  if (verifiedMounts.has(href) || source.size <= SMALL_FILE) return;
  const check = cookieChecks.get(href) ?? api.sign(record, [], signal) // touches no object in storage
    .then(() => undefined, (error) => asFailure(error).code === "not-yours" ? error : undefined)
    .finally(() => cookieChecks.delete(href));
  cookieChecks.set(href, check);
  const refusal = await check;
  signal.throwIfAborted();
  if (refusal) throw refusal;
}

/**
 * Return the visitor's `Upload-Owner`, by which resume records are found and read. Without records no request is made.
 * @param {Pick<Context, "api" | "env" | "mount" | "signal">} context
 * @returns {Promise<string | null | undefined>}
 */
export async function findOwner({ api, env, mount, signal }) {
  if (!(await env.records.hasAny())) return undefined;
  const owner = env.owners.get(mount.href) ?? (await api.owner(signal));
  if (owner) env.owners.set(mount.href, owner);
  return owner;
}

/**
 * Resume an earlier upload of the same file, if there is one. Other visitors' uploads are not found, and those that
 * another page is sending are skipped. Without records, which is the rule, the file is not read.
 * @param {Context} context
 * @returns {Promise<Session | undefined>}
 */
export async function resume(context) {
  if (!(await context.env.records.hasAny())) return undefined;
  await context.source.fingerprint(context.signal);
  for (const found of await findRecords(context)) {
    const release = await context.env.claim(found.id);
    const status = release && (await getStatus(found, context, release));
    if (status) {
      const record = { ...found, place: context.place || found.place, etags: [] };
      renewTicket(record, status, context.env);
      return { record, stored: storedSegments(found, status, context), release };
    }
    release?.();
  }
  return undefined;
}

/**
 * Replace the ticket by the new one that the application sends after half of its lifetime.
 * @param {ResumeRecord} record
 * @param {RenewedTicket} answer
 * @param {Pick<Environment, "records">} env
 */
export function renewTicket(record, { ticket, expires }, { records }) {
  if (!ticket || !expires) return;
  Object.assign(record, { ticket, expires });
  void records.save(record);
}

/** @param {Context} context */
async function findRecords(context) {
  const { env, mount, signal, source } = context;
  try {
    const owner = await retry(() => findOwner(context), env, context);
    const found = owner ? [...source.fingerprints].map((each) => env.records.find(owner, mount.href, each)) : [];
    return (await Promise.all(found)).flat();
  } catch (error) {
    if (refusalStatus(error, signal)) return []; // begin fails with the same error
    throw error;
  }
}

/**
 * @param {ResumeRecord} record
 * @param {Context} context
 * @param {() => void} release
 * @returns {Promise<StatusAnswer | undefined>} undefined when the upload is another visitor's, or no longer exists
 */
async function getStatus(record, context, release) {
  const { api, env, mount, signal } = context;
  try {
    return await retry(() => api.status(record, signal), env, context);
  } catch (error) {
    const status = refusalStatus(error, signal);
    if (status === 401 || status === 403) env.owners.delete(mount.href); // another user has logged in
    if (status === 404 || status === 410) await env.records.remove(record);
    if (status) return undefined;
    release();
    throw error;
  }
}

/**
 * Return the status of an answer saying that the upload is another visitor's or no longer exists; 0 for other errors.
 * @param {unknown} error
 * @param {AbortSignal} signal
 */
function refusalStatus(error, signal) {
  const status = signal.aborted ? 0 : asFailure(error).status;
  return [401, 403, 404, 410].includes(status) ? status : 0;
}

/**
 * Return the segments in storage. When the upload is complete but the answer was lost, only the record has the ETags.
 * @param {ResumeRecord} record
 * @param {StatusAnswer} status
 * @param {Context} context
 * @returns {StoredSegment[]}
 */
function storedSegments(record, { state, stored = [] }, { source }) {
  if (state === "open") return stored;
  return record.etags.map(({ index, etag }) => ({ index, etag, size: source.segment(index, record).size }));
}
