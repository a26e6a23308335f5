/** @type {Set<string>} */
const given = new Set();

/**
 * Tell web developers once what to change.
 * @param {string} text
 */
export function advise(text) {
  if (given.has(text)) return;
  given.add(text);
  console.error(`direct-upload: ${text}`);
}
