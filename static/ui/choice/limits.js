// What a field with a limit says about files that it has no room for.
/** @import { Rules } from "./checks.js" */
/** @import { FileUpload } from "../file-upload.js" */
/** @import { Chosen } from "../list/upload-list.js" */
import { addMessages, formatSize, message } from "../../messages.js";

addMessages({
  tooMany: { one: "You can add only {count} file.", other: "You can add up to {count} files." },
  tooMuch: "The files can have up to {max} in total.",
  notAdded: "Not added: {names}",
});

/**
 * Return the files that a field still has room for, and a notice about the others.
 * @param {Chosen[]} chosen
 * @param {FileUpload[]} present
 * @param {Partial<Rules>} rules
 */
export function limit(chosen, present, { maxFiles = Infinity, maxTotalSize = Infinity }) {
  let count = present.length;
  let total = present.reduce((sum, { size }) => sum + size, 0);
  /** @type {string | undefined} */
  let reason;
  const allowed = chosen.filter(({ file }) => {
    if (count >= maxFiles) reason ??= message("tooMany", { count: maxFiles });
    else if (total + file.size > maxTotalSize) reason ??= message("tooMuch", { max: formatSize(maxTotalSize) });
    else {
      count += 1;
      total += file.size;
      return true;
    }
    return false;
  });
  const names = chosen.filter((each) => !allowed.includes(each)).map(({ file, path }) => path || file.name);
  return { allowed, notice: reason && `${reason} ${message("notAdded", { names: shorten(names) })}` };
}

/** @param {string[]} names */
function shorten(names) {
  return names.slice(0, 3).join(message("comma")) + (names.length > 3 ? " …" : "");
}
