/** @import { Unsent } from "../unsent.js" */
import { Api } from "../../engine/api.js";
import { browser } from "../../engine/browser.js";

const TIMEOUT = 10_000;
/** Milliseconds after which the receipts are forgotten. */
const MAX_AGE = 12 * 3_600_000;

/**
 * Return the receipts of an earlier visit, if it was by the same user.
 * @param {Unsent} saved
 * @param {URL} mount
 * @returns {Promise<string[]>}
 */
export async function verifyUnsent(saved, mount) {
  const owner = await new Api(mount, browser).owner(AbortSignal.timeout(TIMEOUT)).catch(() => undefined);
  if (owner !== saved.owner || saved.mount !== mount.href || Date.now() - saved.time > MAX_AGE) return [];
  browser.owners.set(mount.href, saved.owner);
  return saved.receipts;
}
