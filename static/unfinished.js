// Uploads that were begun in this browser and not finished.
/** @import { Environment, ResumeRecord, Unfinished } from "./types.d.ts" */
import { Api } from "./api.js";
import { browser } from "./browser.js";
import { Source } from "./source.js";

const PATIENCE = 10_000;

/**
 * Only those that the application says are this visitor's: the last one's, at a shared computer, stay unknown.
 * @param {URL} mount
 * @param {string} place
 * @param {Environment} [env]
 * @returns {Promise<Unfinished[]>}
 */
export async function unfinished(mount, place, env = browser) {
  const records = (await env.records.every(mount.href)).filter((record) => record.place === place);
  const found = await Promise.all(records.map((record) => inspect(mount, record, env)));
  return found.filter((each) => each !== undefined);
}

/**
 * @param {URL} mount
 * @param {ResumeRecord} record
 * @param {Environment} env
 * @returns {Promise<Unfinished | undefined>}
 */
async function inspect(mount, record, env) {
  const release = await env.claim(record.id);
  if (!release) return undefined; // another page is carrying it out
  const api = new Api(mount, env);
  try {
    const { stored = [] } = await api.status(record, AbortSignal.timeout(PATIENCE));
    const loaded = stored.reduce((sum, { size }) => sum + size, 0);
    const forget = async () => {
      await env.records.remove(record.id);
      await api.abort(record).catch(() => undefined); // what the application is not told, its sweep finds
    };
    return { ...Source.recall(record.fingerprint), loaded, forget };
  } catch {
    return undefined; // not this visitor's, or no more, or nobody can tell now
  } finally {
    release();
  }
}
