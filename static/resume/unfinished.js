// The unfinished uploads of this browser.
/** @import { Environment, ResumeRecord, Unfinished } from "../types.d.ts" */
import { Api } from "../engine/api.js";
import { browser } from "../engine/browser.js";
import { parseFingerprint } from "../transfer/file-source.js";
import { findRecords } from "./places.js";

const TIMEOUT = 10_000;

/**
 * Return this visitor's unfinished uploads that the application confirms. On a shared computer, those of the previous
 * user are not returned.
 * @param {URL} mount
 * @param {string} place
 * @param {Environment} [env]
 * @returns {Promise<Unfinished[]>}
 */
export async function listUnfinished(mount, place, env = browser) {
  const api = new Api(mount, env);
  const records = await findRecords(mount, place, env);
  const found = await Promise.all(records.map((record) => inspect(record, api, env)));
  return found.filter((each) => each !== undefined);
}

/**
 * @param {ResumeRecord} record
 * @param {Api} api
 * @param {Environment} env
 * @returns {Promise<Unfinished | undefined>}
 */
async function inspect(record, api, env) {
  const release = await env.claim(record.id);
  if (!release) return undefined; // another page is sending it
  try {
    const { stored = [] } = await api.status(record, AbortSignal.timeout(TIMEOUT));
    const loaded = stored.reduce((sum, { size }) => sum + size, 0);
    const abort = async () => {
      await env.records.remove(record);
      await api.abort(record).catch(() => undefined); // then `sweep` removes it later
    };
    return { ...parseFingerprint(record.fingerprint), loaded, abort };
  } catch {
    return undefined; // another visitor's, gone, or the application does not answer
  } finally {
    release();
  }
}
