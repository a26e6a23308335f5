// Where an upload starts: a new one, or one that was left unfinished.
/** @import { Environment, Renewal, ResumeRecord, Signed, Status, Stored } from "../types.d.ts" */
/** @import { Tools } from "./segment-sender.js" */
import { failureOf, persist } from "./retry.js";

/**
 * An upload that is ours to carry out: what is remembered of it, what storage has already, and the first temp URLs.
 * @typedef {{ record: ResumeRecord, stored: Stored[], signed?: Signed, release: () => void }} Opened
 */

/**
 * Begins go one at a time: two at once, in a browser without the cookie, would each be given one, and the ticket bound
 * to the first would be orphaned.
 * @param {string} fingerprint
 * @param {Tools} tools
 * @returns {Promise<Opened>}
 */
export async function begin(fingerprint, tools) {
  const { api, env, mount, place, signal, source } = tools;
  const ask = () => env.alone(() => api.begin(source.description, signal), signal);
  const { segments, clock, ...begun } = await persist(ask, env, tools);
  env.owners.set(mount.href, begun.owner);
  const record = { ...begun, mount: mount.href, fingerprint, place, etags: [] };
  const release = (await env.claim(record.id)) ?? (() => undefined);
  void env.records.save(record);
  return { record, stored: [], signed: { segments, clock }, release };
}

/**
 * What this visitor's records are found by and can be read with; nobody needs to be asked where there are none.
 * @param {Pick<Tools, "api" | "env" | "mount" | "signal">} tools
 * @returns {Promise<string | null | undefined>}
 */
export async function ownerHere({ api, env, mount, signal }) {
  if (!(await env.records.hasAny())) return undefined;
  const owner = env.owners.get(mount.href) ?? (await api.owner(signal));
  if (owner) env.owners.set(mount.href, owner);
  return owner;
}

/**
 * An earlier upload of the same file. Those of others who use this browser are not found, and left for them; one that
 * another page carries out is left to that.
 * @param {string} fingerprint
 * @param {Tools} tools
 * @returns {Promise<Opened | undefined>}
 */
export async function takeUp(fingerprint, tools) {
  for (const record of await recordsOf(fingerprint, tools)) {
    const release = await tools.env.claim(record.id);
    const status = release && (await ask(record, tools, release));
    if (status) {
      const taken = { ...record, place: tools.place || record.place, etags: [] };
      renew(taken, status, tools.env);
      return { record: taken, stored: storedOf(record, status, tools), release };
    }
    release?.();
  }
  return undefined;
}

/**
 * Takes over the ticket that the application gives anew when the present one has lived for half of its time.
 * @param {ResumeRecord} record
 * @param {Renewal} answer
 * @param {Pick<Environment, "records">} env
 */
export function renew(record, { ticket, expires }, { records }) {
  if (!ticket || !expires) return;
  Object.assign(record, { ticket, expires });
  void records.save(record);
}

/**
 * @param {string} fingerprint
 * @param {Tools} tools
 */
async function recordsOf(fingerprint, tools) {
  const { env, mount, signal } = tools;
  try {
    const owner = await persist(() => ownerHere(tools), env, tools);
    return owner ? await env.records.find(owner, mount.href, fingerprint) : [];
  } catch (error) {
    if (refusedWith(error, signal)) return []; // begin will tell
    throw error;
  }
}

/**
 * @param {ResumeRecord} record
 * @param {Tools} tools
 * @param {() => void} release
 * @returns {Promise<Status | undefined>} undefined when the upload is not ours, or no more
 */
async function ask(record, tools, release) {
  const { api, env, mount, signal } = tools;
  try {
    return await persist(() => api.status(record, signal), env, tools);
  } catch (error) {
    const status = refusedWith(error, signal);
    if (status === 401 || status === 403) env.owners.delete(mount.href); // somebody else has logged in since
    if (status === 404 || status === 410) await env.records.remove(record);
    if (status) return undefined;
    release();
    throw error;
  }
}

/**
 * The status with which the application said that it is not ours, or no more; 0 when it said something else.
 * @param {unknown} error
 * @param {AbortSignal} signal
 */
function refusedWith(error, signal) {
  const status = signal.aborted ? 0 : failureOf(error).status;
  return [401, 403, 404, 410].includes(status) ? status : 0;
}

/**
 * Of an upload whose completion was answered, but not heard, only the record knows the ETags.
 * @param {ResumeRecord} record
 * @param {Status} status
 * @param {Tools} tools
 * @returns {Stored[]}
 */
function storedOf(record, { state, stored = [] }, { source }) {
  if (state === "open") return stored;
  return record.etags.map(({ index, etag }) => ({ index, etag, size: source.segment(index, record).size }));
}
