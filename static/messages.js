// All texts that users read. languages/ translates them to the page's `lang`. A page has the last word with
//   <script type="application/json" id="direct-upload-messages">{"retry": "Noch einmal", …}</script>
// which no Content-Security-Policy blocks, or with `Object.assign(messages, { … })`.
/** @import { DirectUploadFailure } from "./engine/failure.js" */

/** @import { Text } from "./types.d.ts" */

/**
 * The texts by key. Those of parts that few pages need are added when these are loaded.
 * @type {Record<string, Text>}
 */
export const messages = {
  // States of an upload
  ready: "{total} · ready to upload",
  starting: "Starting…",
  queued: "Waiting",
  sending: "{loaded} of {total}",
  waiting: "Connection lost. Retrying…",
  notResponding: "The server isn't responding. Retrying…",
  offline: "You're offline. The upload will resume when you're back online.",
  paused: "Paused",
  finishing: "Finishing…",
  done: "Uploaded · {total}",
  timeLeft: "{time} left",

  // Announcements and labels of buttons
  progress: "Upload progress of {name}",
  started: "Uploading {name}",
  startedAll: { one: "Uploading {count} file", other: "Uploading {count} files" },
  soFar: "{name}: {share} uploaded",
  finished: "{name} uploaded",
  failed: "{name} couldn't be uploaded. {reason}",
  held: "Waiting for uploads to finish. The form will then be submitted automatically.",
  heldPaused: "Uploads are paused. Resume them to submit the form.",
  cancel: "Cancel upload of {name}",
  remove: "Remove {name}",
  removed: "{name} removed",
  retry: "Try again",
  pause: "Pause upload of {name}",
  resume: "Resume upload of {name}",
  pausedFile: "{name} paused",
  resumedFile: "{name} resumed",

  // The upload element
  promptOne: "Choose a file or drop it here",
  promptSeveral: "Choose files or drop them here",
  promptFolder: "Choose a folder or drop it here",
  touchOne: "Choose a file",
  touchSeveral: "Choose files",
  dropping: "Drop to upload",
  upTo: "up to {max}",
  required: "Choose a file to upload.",
  uploadedFile: "Uploaded file",
  folder: "Folders can't be uploaded. Open the folder and choose its files.",
  files: "Files",

  // Rules for files
  tooFew: { one: "Choose at least {count} file.", other: "Choose at least {count} files." },
  larger: "This file is too large. The limit is {max}.",
  notAccepted: "This file type isn't accepted. Allowed: {accept}.",
  image: "images",
  video: "videos",
  audio: "audio",
  comma: ", ",

  // Failures, by code or cause
  network: "Can't reach the server. Check your connection and try again.",
  stalled: "The upload has stalled. Check your connection and try again.",
  aborted: "The upload was cancelled.",
  "file-changed": "This file was changed or removed during the upload. Choose it again.",
  "not-authenticated": "You've been logged out. Log in again (another tab is fine), then try again.",
  "cross-site": "Uploads from this page aren't allowed.",
  "not-yours": "This upload was started by another user. Choose the file again.",
  "invalid-ticket": "This upload is no longer valid. Choose the file again.",
  "ticket-expired": "This upload has expired. Try again.",
  refused: "You aren't allowed to upload this file.",
  "too-large": "This file is too large.",
  "type-not-accepted": "Files of this type are not accepted.",
  "invalid-request": "This file's name or type isn't allowed. Rename it and choose it again.",
  "segments-missing": "Part of the file didn't arrive. Try again.",
  "segments-differ": "The file was damaged during upload. Try again.",
  "already-complete": "This file has already been uploaded.",
  "application-error": "Something went wrong on the server. Try again later.",
  "storage-error": "The file couldn't be saved. Try again later.",
  "storage-unavailable": "Storage is unavailable right now. Try again later.",
  cors: "Storage isn't set up to accept uploads from this page. Please contact the site's owner.",
  cookies: "Your browser doesn't send this site's cookies. Allow cookies for this site and try again.",
  csp: "This page's security policy blocks uploads. Please contact the site's owner.",
  other: "The upload failed. Try again.",
};

const ENGLISH = { ...messages };

try {
  const dictionary = globalThis.document?.getElementById("direct-upload-messages")?.textContent;
  Object.assign(messages, JSON.parse(dictionary || "{}"));
} catch (error) {
  console.error("direct-upload: #direct-upload-messages is not JSON.", error); // uploads still work, without its texts
}

/**
 * Add the English texts of a part that was loaded later.
 * @param {Record<string, Text>} texts
 */
export function addMessages(texts) {
  for (const key in texts) messages[key] ??= texts[key];
}

/** Resolves when the texts are in the page's language, or stay in English because there is no translation. */
export const translated = translate().catch(() => undefined);

/** Replace the English texts by a translation, except those that the page has replaced itself. */
async function translate() {
  const language = pageLanguage();
  if (!language || isEnglish(language)) return;
  const { loadTexts } = await import("./languages/index.js");
  const texts = await loadTexts(language);
  for (const key in texts) if (messages[key] === ENGLISH[key]) messages[key] = texts[key];
}

/**
 * Return a text with its placeholders filled in. The number `count` selects a plural form.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function message(key, values = {}) {
  const { count } = values;
  const text = messages[key] ?? messages.other ?? key;
  const form = typeof text === "string" ? text : text[pluralRules().select(Number(count))] ?? text.other ?? key;
  return form.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name] ?? whole;
    return typeof value === "number" ? formatNumber(value, {}) : value;
  });
}

/**
 * Return what happened and what to do, for users. A refusal's detail is the application's own text for its user.
 * @param {DirectUploadFailure} failure
 */
export function explain({ code, detail, status, cause }) {
  const isForUser = detail && (code === "refused" || (!status && CHECKED.includes(code)));
  return isForUser ? detail : message(typeof cause === "string" ? cause : code);
}

/** Codes that the page's own checks of a file give. */
const CHECKED = ["too-large", "type-not-accepted"];
const FINAL = [...CHECKED, "cross-site", "file-changed", "invalid-request"];

/**
 * Return whether another attempt with the same file would fail again.
 * @param {DirectUploadFailure} failure
 */
export function isFinal({ code, cause }) {
  return FINAL.includes(code) || cause === "csp";
}

/**
 * Return a failure's technical details, for developers.
 * @param {DirectUploadFailure} failure
 */
export function formatFailure({ code, detail, status, cause }) {
  return [code, typeof cause === "string" && cause, status || "", detail].filter(Boolean).join(" · ");
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/**
 * @param {number} bytes
 * @param {string} [language] default: that of the texts
 * @param {string} [per] suffix of the unit
 */
export function formatSize(bytes, language, per = "") {
  const power = powerOf(bytes);
  return formatUnit(bytes / 1000 ** power, UNITS[power] + per, power || per ? "short" : "long", language, digitsOf(power));
}

/**
 * Return two sizes in the unit of the second, which only the second names: "45" and "120 MB".
 * @param {number} loaded
 * @param {number} total
 */
export function formatSizes(loaded, total) {
  const power = powerOf(total);
  const number = formatNumber(loaded / 1000 ** power, { maximumFractionDigits: digitsOf(power) });
  return { loaded: number, total: formatSize(total) };
}

/** @param {number} bytes */
function powerOf(bytes) {
  return Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
}

/** @param {number} power */
function digitsOf(power) {
  return power > 1 ? 1 : 0;
}

/**
 * @param {number} speed bytes per second
 * @param {string} [language]
 */
export function formatSpeed(speed, language) {
  return formatSize(speed, language, "-per-second");
}

/**
 * @param {number} share between 0 and 1
 * @param {string} [language]
 */
export function formatShare(share, language) {
  return formatNumber(share, { style: "percent" }, language);
}

/**
 * Return an estimated duration, rounded so that it does not look more exact than it is.
 * @param {number} seconds
 * @param {string} [language]
 */
export function formatDuration(seconds, language) {
  const step = seconds > 10 ? 5 : 1;
  if (seconds <= 50) return formatUnit(Math.max(1, Math.ceil(seconds / step) * step), "second", "long", language);
  if (seconds <= 3300) return formatUnit(Math.max(1, Math.round(seconds / 60)), "minute", "long", language);
  return formatUnit(seconds / 3600, "hour", "long", language, seconds < 36_000 ? 1 : 0);
}

/**
 * @param {number} number
 * @param {string} unit
 * @param {"short" | "long"} unitDisplay
 * @param {string} [language]
 * @param {number} [maximumFractionDigits]
 */
function formatUnit(number, unit, unitDisplay, language, maximumFractionDigits = 0) {
  return formatNumber(number, { style: "unit", unit, unitDisplay, maximumFractionDigits }, language);
}

/** Formatters are expensive to create. @type {Map<string, Intl.NumberFormat>} */
const formatters = new Map();

/**
 * @param {number} number
 * @param {Intl.NumberFormatOptions} options
 * @param {string} [language]
 */
function formatNumber(number, options, language = textLanguage()) {
  const key = language + JSON.stringify(options);
  const formatter = formatters.get(key) ?? new Intl.NumberFormat(language, options);
  formatters.set(key, formatter);
  return formatter.format(number);
}

function pluralRules() {
  return new Intl.PluralRules(textLanguage());
}

/** Return the language of the texts, for numbers: the page's, unless its texts have stayed English. */
function textLanguage() {
  const language = pageLanguage();
  const isTranslated = language && (isEnglish(language) || messages.timeLeft !== ENGLISH.timeLeft);
  return (isTranslated && Intl.NumberFormat.supportedLocalesOf(language)[0]) || "en";
}

/** @param {string} language */
function isEnglish(language) {
  return /^en\b/.test(language);
}

/** Return the page's language; undefined when it is missing or invalid. */
function pageLanguage() {
  const { lang } = globalThis.document?.documentElement ?? {};
  try {
    return lang ? Intl.getCanonicalLocales(lang)[0] : undefined; // "" means unknown
  } catch {
    return undefined;
  }
}
