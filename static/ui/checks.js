// The page's rules for files, checked before anything is sent. The server checks its own rules again.
import { DirectUploadFailure } from "../engine/failure.js";
import { possibleTypes } from "./extension-types.js";
import { formatSize, message } from "../messages.js";

/**
 * @typedef {object} Rules
 * @property {string} accept as in HTML
 * @property {number} maxSize in bytes
 */

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
 * Return whether HTML's `accept` allows a file: by the extension of its name, its type, or its type's family. A type that
 * is unknown or has another name is decided by the extension too.
 * @param {{ name: string, type: string }} file
 * @param {string} accept
 */
export function isAccepted({ name, type }, accept) {
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
 * Return why a file is not allowed; undefined when it is.
 * @param {File} file
 * @param {Rules} rules
 */
export function check(file, { accept, maxSize }) {
  if (!isAccepted(file, accept)) {
    return new DirectUploadFailure("type-not-accepted", { detail: message("notAccepted", { accept: describe(accept) }) });
  }
  if (file.size <= maxSize) return undefined;
  return new DirectUploadFailure("too-large", { detail: message("larger", { max: formatSize(maxSize) }) });
}

/**
 * Describe for users what is accepted: "PDF, images".
 * @param {string} accept
 */
export function describe(accept) {
  return parseAccept(accept).map(describeToken).join(message("comma"));
}

/** @param {string} token */
function describeToken(token) {
  const family = /^(audio|image|video)\/\*$/.exec(token);
  return family ? message(family[1]) : token.replace(/^\.|^.*\/(x-)?/, "").toUpperCase();
}
