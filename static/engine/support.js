/** What the script uses and browsers of the last years may lack. */
const FEATURES = [
  "AbortSignal.any",
  "AbortSignal.timeout",
  "AbortSignal.prototype.throwIfAborted",
  "Array.prototype.toSorted",
  "Blob.prototype.stream",
  "CSSStyleSheet.prototype.replaceSync",
  "Element.prototype.attachShadow",
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

/** Return whether this browser has everything that the script needs. Without it, file inputs are left as they are. */
export function isSupported() {
  return FEATURES.every((path) => {
    /** @type {any} */
    let value = globalThis;
    for (const name of path.split(".")) value = value?.[name];
    return value;
  });
}
