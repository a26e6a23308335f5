// The page's rules for files, checked before anything is sent. The server checks its own rules again.
import { DirectUploadFailure } from "../../engine/failure.js";
import { formatSize, message } from "../../messages.js";

/**
 * @typedef {object} Rules
 * @property {string} accept as in HTML
 * @property {number} maxSize in bytes
 * @property {number} maxTotalSize in bytes
 * @property {number} maxFiles
 * @property {number} minFiles
 * @property {number} imageMax pixels of the longer side to which images are reduced; Infinity leaves them as they are
 */

/**
 * Return the rules in the attributes of a field. A plain input has them as `data-max-size` and so on.
 * @param {HTMLElement & { accept: string, multiple: boolean }} field
 * @param {string} [prefix]
 * @returns {Rules}
 */
export function readRules(field, prefix = "") {
  const read = (/** @type {string} */ name) => parseSize(field.getAttribute(prefix + name));
  const minFiles = read("min-files");
  return {
    accept: field.accept,
    maxSize: read("max-size"),
    maxTotalSize: read("max-total-size"),
    maxFiles: field.multiple ? read("max-files") : 1,
    minFiles: minFiles < Infinity ? minFiles : 0,
    imageMax: parseSize(field.dataset.imageMax),
  };
}

const POWERS = ["", "k", "m", "g", "t"];

/**
 * Return the bytes of `"5000"`, `"20 MB"` (decimal, as shown to users) or `"16 MiB"`; Infinity without a limit.
 * @param {string | null | undefined} text
 */
export function parseSize(text) {
  const match = /^([\d.]+)\s*(?:([kmgt]?)(i?)b?)?$/i.exec(text?.trim() ?? "");
  const [, number, unit = "", binary] = match ?? [];
  const bytes = Number(number) * (binary ? 1024 : 1000) ** POWERS.indexOf(unit.toLowerCase());
  if (text && Number.isNaN(bytes)) console.warn(`direct-upload: ${JSON.stringify(text)} is not a size.`);
  return bytes >= 0 ? bytes : Infinity;
}

/**
 * Return whether HTML's `accept` allows a file: by the extension of its name, its type, or its type's family.
 * @param {{ name: string, type: string }} file
 * @param {string} accept
 * @param {(name: string, essence: string) => string[]} [possibleTypes] the types that a file may have, as extension-types.js knows them
 */
export function isAccepted({ name, type }, accept, possibleTypes = (_, essence) => [essence]) {
  const tokens = parseAccept(accept);
  const essence = type.split(";", 1)[0].trim().toLowerCase() || "application/octet-stream";
  const types = possibleTypes(name, essence).flatMap((type) => [type, type.replace(/\/.*/, "/*"), "*/*"]);
  const matches = (/** @type {string} */ token) =>
    token.startsWith(".") ? name.toLowerCase().endsWith(token) : types.includes(token);
  return !tokens.length || tokens.some(matches);
}

/** @param {string} accept */
export function parseAccept(accept) {
  return accept.toLowerCase().split(",").map((token) => token.trim()).filter(Boolean);
}

/**
 * Return why a file is not allowed; undefined when it is. A type that is unknown or has another name is decided by the
 * extension, with a table that is loaded when it is needed.
 * @param {File} file
 * @param {Pick<Rules, "accept" | "maxSize">} rules
 */
export function check(file, { accept, maxSize }) {
  if (file.size > maxSize) return new DirectUploadFailure("too-large", { detail: message("larger", { max: formatSize(maxSize) }) });
  if (isAccepted(file, accept)) return undefined;
  return accept.includes("/") ? checkExtension(file, accept) : notAccepted(describe(accept));
}

/**
 * @param {File} file
 * @param {string} accept
 */
async function checkExtension(file, accept) {
  const { possibleTypes } = await loadTypes();
  return isAccepted(file, accept, possibleTypes) ? undefined : notAccepted(await describeTypes(accept));
}

/** Without the tables, the server decides. */
function loadTypes() {
  return import("./type-names.js").catch(() => ({ possibleTypes: () => ["*/*"], describeTypes: describe }));
}

/** @param {string} accept */
function notAccepted(accept) {
  return new DirectUploadFailure("type-not-accepted", { detail: message("notAccepted", { accept }) });
}

/**
 * Describe for users what is accepted: "PDF, images".
 * @param {string} accept
 */
export function describe(accept) {
  return describeAll(accept, (token) => {
    const family = /^(audio|image|video)\/\*$/.exec(token);
    return family ? message(family[1]) : token.replace(/^\.|^.*\/(x-)?/, "").toUpperCase();
  });
}

/**
 * @param {string} accept
 * @param {(token: string) => string} describeToken
 */
export function describeAll(accept, describeToken) {
  return [...new Set(parseAccept(accept).filter((token) => token !== "*/*").map(describeToken))].join(message("comma"));
}

/**
 * Describe what is accepted with what people call each type, if `describe` does not.
 * @param {string} accept
 */
export async function describeTypes(accept) {
  return /\/(?!\*)/.test(accept) ? (await loadTypes()).describeTypes(accept) : describe(accept);
}
