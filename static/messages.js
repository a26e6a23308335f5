// All that a page's visitor reads. A page changes it with `Object.assign(messages, { … })`.
/** @import { DirectUploadFailure } from "./failure.js" */

/** @type {Record<string, string>} */
export const messages = {
  // States of an upload
  starting: "Starting…",
  sending: "{loaded} of {total}",
  waiting: "The connection was lost. Trying again…",
  offline: "You are offline. The upload goes on when you are back.",
  paused: "Paused",
  finishing: "Finishing…",
  done: "Uploaded, {total}",

  // What is announced and what buttons are called
  progress: "Upload of {name}",
  started: "Uploading {name}",
  finished: "{name} is uploaded",
  failed: "{name} was not uploaded. {reason}",
  held: "The form will be sent when the upload is finished.",
  cancel: "Cancel the upload of {name}",
  remove: "Remove {name}",
  retry: "Try again",

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
  other: "The upload has failed. Try again.",
};

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
export function explain({ code, detail }) {
  return code === "refused" && detail ? detail : say(code);
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/**
 * @param {number} bytes
 * @param {string} [language] the page's, when it says which
 */
export function formatSize(bytes, language = globalThis.document?.documentElement.lang || undefined) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes || 1) / 3));
  const digits = power > 1 ? 1 : 0;
  const how = /** @type {const} */ ({ style: "unit", unit: UNITS[power], unitDisplay: power ? "short" : "long" });
  const format = new Intl.NumberFormat(language, { ...how, maximumFractionDigits: digits });
  return format.format(bytes / 1000 ** power);
}
