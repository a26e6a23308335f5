// What a page allows, asked before anything is sent. The application asks again: a page's word is only a convenience.
import { DirectUploadFailure } from "../engine/failure.js";
import { formatSize, say } from "../messages.js";

/**
 * @typedef {object} Rules
 * @property {string} accept as HTML's
 * @property {number} maxSize in bytes
 */

const POWERS = ["", "k", "m", "g", "t"];

/**
 * Bytes of `"5000"`, `"20 MB"` (decimal, as shown to people) or `"16 MiB"`; Infinity when there is no limit.
 * @param {string | null | undefined} text
 */
export function parseSize(text) {
  const match = /^([\d.]+)\s*(?:([kmgt]?)(i?)b?)?$/i.exec(text?.trim() ?? "");
  const [, number, unit = "", binary] = match ?? [];
  const bytes = Number(number) * (binary ? 1024 : 1000) ** POWERS.indexOf(unit.toLowerCase());
  if (text && Number.isNaN(bytes)) console.warn(`direct-upload: ${JSON.stringify(text)} is no size.`);
  return bytes >= 0 ? bytes : Infinity;
}

/**
 * Whether HTML's `accept` lets such a file through: by an extension of its name, its type, or its type's family.
 * @param {{ name: string, type: string }} file
 * @param {string} accept
 */
export function isAccepted({ name, type }, accept) {
  const tokens = tokensOf(accept);
  const essence = type.split(";", 1)[0].trim().toLowerCase() || "application/octet-stream";
  const types = [essence, essence.replace(/\/.*/, "/*"), "*/*"];
  const fits = (/** @type {string} */ token) =>
    token.startsWith(".") ? name.toLowerCase().endsWith(token) : types.includes(token);
  return !tokens.length || tokens.some(fits);
}

/** @param {string} accept */
export function tokensOf(accept) {
  return accept.toLowerCase().split(",").map((token) => token.trim()).filter(Boolean);
}

/**
 * Why this file need not even be tried.
 * @param {File} file
 * @param {Rules} rules
 */
export function check(file, { accept, maxSize }) {
  if (!isAccepted(file, accept)) {
    return new DirectUploadFailure("type-not-accepted", { detail: say("notAccepted", { accept: describe(accept) }) });
  }
  if (file.size <= maxSize) return undefined;
  return new DirectUploadFailure("too-large", { detail: say("larger", { max: formatSize(maxSize) }) });
}

/**
 * What is accepted, for people: "PDF, images".
 * @param {string} accept
 */
export function describe(accept) {
  return tokensOf(accept).map(describeToken).join(say("comma"));
}

/** @param {string} token */
function describeToken(token) {
  const family = /^(audio|image|video)\/\*$/.exec(token);
  return family ? say(family[1]) : token.replace(/^\.|^.*\/(x-)?/, "").toUpperCase();
}
