// What people call the types in `accept`.
import { addMessages, message } from "../../messages.js";
import { describeAll } from "./checks.js";
import { possibleTypes, typeNames } from "./extension-types.js";

export { possibleTypes };

addMessages({
  text: "text files",
  word: "Word documents",
  excel: "Excel spreadsheets",
  powerpoint: "PowerPoint presentations",
});

/** Types by MIME type or extension, and the keys of their names. */
const KNOWN = /** @type {const} */ ([
  [/msword$|\.wordprocessingml\.document$/, "word"],
  [/ms-?excel$|\.spreadsheetml\.sheet$/, "excel"],
  [/ms-?powerpoint$|\.presentationml\.presentation$/, "powerpoint"],
  [/^text\/(plain|\*)$/, "text"],
  [/^image\/\*$/, "image"],
  [/^video\/\*$/, "video"],
  [/^audio\/\*$/, "audio"],
]);

/**
 * Describe for users what is accepted: "Word documents, images".
 * @param {string} accept
 */
export function describeTypes(accept) {
  return describeAll(accept, (token) => {
    const known = KNOWN.find(([pattern]) => pattern.test(token));
    if (known) return message(known[1]);
    return (typeNames.get(token) ?? token.replace(/^\.|^.*\/(x-)?|\+xml$/g, "")).toUpperCase();
  });
}
