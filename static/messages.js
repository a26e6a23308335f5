// All that a page's visitor reads. A page says it in its own language by
//   <script type="application/json" id="direct-upload-messages">{"retry": "Noch einmal", …}</script>
// which no Content-Security-Policy forbids, or by `Object.assign(messages, { … })`.
/** @import { DirectUploadFailure } from "./engine/failure.js" */

/** @type {Record<string, string>} */
export const messages = {
  // States of an upload
  ready: "{total}, to be uploaded",
  starting: "Starting…",
  sending: "{loaded} of {total}",
  waiting: "The connection was lost. Trying again…",
  offline: "You are offline. The upload goes on when you are back.",
  paused: "Paused",
  finishing: "Finishing…",
  done: "Uploaded, {total}",
  timeLeft: "{time} left",

  // What is announced and what buttons are called
  progress: "Upload of {name}",
  started: "Uploading {name}",
  soFar: "{share} of {name} is uploaded",
  finished: "{name} is uploaded",
  failed: "{name} was not uploaded. {reason}",
  held: "The form will be sent when the upload is finished.",
  cancel: "Cancel the upload of {name}",
  remove: "Remove {name}",
  retry: "Try again",
  pause: "Pause the upload of {name}",
  resume: "Go on with the upload of {name}",
  pausedFile: "The upload of {name} is paused.",
  resumedFile: "The upload of {name} goes on.",
  details: "Details",

  // The element
  promptOne: "Choose a file or drop it here",
  promptSeveral: "Choose files or drop them here",
  dropping: "Drop to upload",
  upTo: "up to {max}",
  required: "Choose a file to upload.",
  folder: "Folders cannot be uploaded. Choose the files in it.",
  unfinished: "{loaded} of {total} are uploaded. Choose the file again to go on.",
  unsent: "This was not uploaded yet. Choose the file again to go on.",
  unfinishedFiles: "Unfinished uploads",
  files: "Files",
  again: "Choose again",
  forget: "Forget the unfinished upload of {name}",

  // What may be chosen
  larger: "This file is larger than {max}.",
  notAccepted: "Only these can be taken: {accept}.",
  image: "images",
  video: "videos",
  audio: "audio",
  comma: ", ",

  // Failures, by code
  network: "The server cannot be reached. Check your connection and try again.",
  stalled: "The connection has stopped moving. Check your connection and try again.",
  aborted: "The upload was cancelled.",
  "file-changed": "The file was changed or removed meanwhile. Choose it again.",
  "not-authenticated": "You are logged out. Log in, in another tab if you like, and try again.",
  "cross-site": "This page may not upload here.",
  "not-yours": "This upload belongs to somebody else. Choose the file again.",
  "invalid-ticket": "The permission for this upload is not valid. Choose the file again.",
  "ticket-expired": "The permission for this upload has run out. Try again.",
  refused: "You may not upload this file.",
  "too-large": "This file is too large.",
  "type-not-accepted": "Files of this type are not accepted.",
  "invalid-request": "This file's name or type cannot be taken. Rename the file and choose it again.",
  "segments-missing": "Some of the file did not arrive. Try again.",
  "segments-differ": "The file was damaged on its way. Try again.",
  "already-complete": "This upload is finished already.",
  "application-error": "The server had a problem with this file. Try again later.",
  "storage-error": "The file could not be stored. Try again later.",
  "storage-unavailable": "The storage cannot be reached at the moment. Try again later.",
  cors: "The storage does not take files from this page. Please tell whoever runs this site.",
  csp: "This page's own rules forbid the upload. Please tell whoever runs this site.",
  other: "The upload has failed. Try again.",
};

try {
  const dictionary = globalThis.document?.getElementById("direct-upload-messages")?.textContent;
  Object.assign(messages, JSON.parse(dictionary || "{}"));
} catch (error) {
  console.error("direct-upload: #direct-upload-messages is not JSON.", error); // uploads speak English, but work
}

/**
 * @param {string} key
 * @param {Record<string, string>} [values]
 */
export function say(key, values = {}) {
  const text = messages[key] ?? messages.other ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/**
 * What happened and what to do. What the application said in refusing is its own word to its visitor.
 * @param {DirectUploadFailure} failure
 */
export function explain({ code, detail, status, cause }) {
  const isTold = detail && (code === "refused" || (!status && CHECKED.includes(code)));
  return isTold ? detail : say(typeof cause === "string" ? cause : code);
}

/** What the page itself finds out about a file, before anybody is asked. */
const CHECKED = ["too-large", "type-not-accepted"];
const FINAL = [...CHECKED, "cross-site", "file-changed", "invalid-request"];

/**
 * Whether the same file would only fail again.
 * @param {DirectUploadFailure} failure
 */
export function isFinal({ code, cause }) {
  return FINAL.includes(code) || cause === "csp";
}

/**
 * The same for whoever has to find the reason.
 * @param {DirectUploadFailure} failure
 */
export function technical({ code, detail, status, cause }) {
  return [code, typeof cause === "string" && cause, status || "", detail].filter(Boolean).join(" · ");
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/**
 * @param {number} bytes
 * @param {string} [language] the page's, when it says which
 * @param {string} [per] what follows the unit
 */
export function formatSize(bytes, language, per = "") {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const digits = power > 1 ? 1 : 0;
  const display = power || per ? "short" : "long";
  return formatUnit(bytes / 1000 ** power, UNITS[power] + per, display, language, digits);
}

/**
 * @param {number} speed bytes per second
 * @param {string} [language]
 */
export function formatSpeed(speed, language) {
  return formatSize(speed, language, "-per-second");
}

/**
 * @param {number} share of 1
 * @param {string} [language]
 */
export function formatShare(share, language = pageLanguage()) {
  return new Intl.NumberFormat(language, { style: "percent" }).format(share);
}

/**
 * No more exact than anybody can foresee.
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
function formatUnit(number, unit, unitDisplay, language = pageLanguage(), maximumFractionDigits = 0) {
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay, maximumFractionDigits }).format(number);
}

/** The page's language, when it tells one that there is. */
function pageLanguage() {
  const { lang } = globalThis.document?.documentElement ?? {};
  try {
    return lang ? Intl.getCanonicalLocales(lang)[0] : undefined; // "" is none
  } catch {
    return undefined;
  }
}
