// Uploads that were begun in this browser and not finished.
/** @import { Environment, ResumeRecord, Unfinished } from "../types.d.ts" */
import { Api } from "../engine/api.js";
import { browser } from "../engine/browser.js";
import { ownerHere } from "../engine/session.js";
import { Source } from "../engine/file-source.js";

const PATIENCE = 10_000;

/**
 * Only this visitor's, and only those that the application confirms: the last one's, at a shared computer, stay unknown.
 * @param {URL} mount
 * @param {string} place
 * @param {Environment} [env]
 * @returns {Promise<Unfinished[]>}
 */
export async function unfinished(mount, place, env = browser) {
  const api = new Api(mount, env);
  const records = await recordsHere({ api, env, mount });
  const here = records.filter((record) => record.place === place);
  const found = await Promise.all(here.map((record) => inspect(record, api, env)));
  return found.filter((each) => each !== undefined);
}

/** @param {{ api: Api, env: Environment, mount: URL }} tools */
async function recordsHere(tools) {
  try {
    const owner = await ownerHere({ ...tools, signal: AbortSignal.timeout(PATIENCE) });
    return owner ? await tools.env.records.every(owner, tools.mount.href) : [];
  } catch {
    return []; // nobody is logged in, or nobody can tell now
  }
}

/**
 * @param {ResumeRecord} record
 * @param {Api} api
 * @param {Environment} env
 * @returns {Promise<Unfinished | undefined>}
 */
async function inspect(record, api, env) {
  const release = await env.claim(record.id);
  if (!release) return undefined; // another page is carrying it out
  try {
    const { stored = [] } = await api.status(record, AbortSignal.timeout(PATIENCE));
    const loaded = stored.reduce((sum, { size }) => sum + size, 0);
    const forget = async () => {
      await env.records.remove(record);
      await api.abort(record).catch(() => undefined); // what the application is not told, its sweep finds
    };
    return { ...Source.recall(record.fingerprint), loaded, forget };
  } catch {
    return undefined; // not this visitor's, or no more, or nobody can tell now
  } finally {
    release();
  }
}
