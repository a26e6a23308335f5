/** @import { Environment } from "../types.d.ts" */
import { Api } from "../engine/api.js";
import { browser } from "../engine/browser.js";
import { findOwner } from "../engine/session.js";

const TIMEOUT = 10_000;

/**
 * Return this visitor's resume records of a place in the site.
 * @param {URL} mount
 * @param {string} place
 * @param {Environment} [env]
 */
export async function findRecords(mount, place, env = browser) {
  try {
    const owner = await findOwner({ api: new Api(mount, env), env, mount, signal: AbortSignal.timeout(TIMEOUT) });
    const records = owner ? await env.records.all(owner, mount.href) : [];
    return records.filter((record) => record.place === place);
  } catch {
    return []; // not logged in, or the application does not answer
  }
}
