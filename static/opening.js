// Where an upload starts: a new one, or one that was left unfinished.
/** @import { Environment, Renewal, ResumeRecord, Signed, Status, Stored } from "./types.d.ts" */
/** @import { Tools } from "./segments.js" */
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
  const record = { ...begun, mount: mount.href, fingerprint, place, etags: [] };
  const release = (await env.claim(record.id)) ?? (() => undefined);
  void env.records.save(record);
  return { record, stored: [], signed: { segments, clock }, release };
}

/**
 * An earlier upload of the same file. A record of somebody else who uses this browser is refused by the application,
 * and left for its owner; one that another page carries out is left to that.
 * @param {string} fingerprint
 * @param {Tools} tools
 * @returns {Promise<Opened | undefined>}
 */
export async function takeUp(fingerprint, tools) {
  for (const record of await tools.env.records.find(tools.mount.href, fingerprint)) {
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
 * @param {ResumeRecord} record
 * @param {Tools} tools
 * @param {() => void} release
 * @returns {Promise<Status | undefined>} undefined when the upload is not ours, or no more
 */
async function ask(record, tools, release) {
  const { api, env, signal } = tools;
  try {
    return await persist(() => api.status(record, signal), env, tools);
  } catch (error) {
    const status = signal.aborted ? 0 : failureOf(error).status;
    if (status === 404 || status === 410) await env.records.remove(record.id);
    if ([401, 403, 404, 410].includes(status)) return undefined;
    release();
    throw error;
  }
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
