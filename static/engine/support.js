import { DirectUploadFailure } from "./failure.js";

/** What the script uses and browsers of the last years may lack. */
const FEATURES = [
  "AbortSignal.any",
  "AbortSignal.timeout",
  "AbortSignal.prototype.throwIfAborted",
  "Array.prototype.toSorted",
  "Blob.prototype.stream",
  "CSSStyleSheet.prototype.replaceSync",
  "Element.prototype.replaceChildren",
  "ElementInternals.prototype.setFormValue",
  "HTMLElement.prototype.attachInternals",
  "HTMLFormElement.prototype.requestSubmit",
  "Intl.NumberFormat",
  "Promise.allSettled",
  "String.prototype.replaceAll",
  "URL.canParse",
  "document.adoptedStyleSheets",
];

/** Throw `unsupported-browser` when this browser lacks something that the script needs. Then file inputs stay as they are. */
export function checkSupport() {
  const missing = FEATURES.filter((path) => !has(path));
  if (!missing.length) return;
  throw new DirectUploadFailure("unsupported-browser", { detail: `This browser lacks ${missing.join(", ")}.` });
}

/** @param {string} path */
function has(path) {
  /** @type {any} */
  let value = globalThis;
  for (const name of path.split(".")) value = value?.[name];
  return value;
}
