import { Api } from "./api.js";
import { browser } from "./browser.js";

/**
 * Ask the application to remove a finished upload. It keeps the upload when it has no `on_remove`, or when that refuses.
 * @param {URL} mount
 * @param {string} receipt
 * @param {import("../types.d.ts").Environment} [env]
 */
export function removeUpload(mount, receipt, env = browser) {
  return new Api(mount, env).remove(receipt);
}
