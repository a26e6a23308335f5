// A file that has the name, size and time of another one.
/** @import { Field } from "../field.js" */
/** @import { Chosen } from "../list/upload-list.js" */
import { addMessages, message } from "../../messages.js";

addMessages({
  duplicate: "{name} is already in the list.",
});

/** Bytes that are compared at the beginning, in the middle and at the end of files. */
const SAMPLE = 64 * 1024;

/**
 * Compare samples of two files that have the same size.
 * @param {File} one
 * @param {File} other
 */
async function haveSameContent(one, other) {
  try {
    for (const start of [0, Math.floor(one.size / 2), Math.max(0, one.size - SAMPLE)]) {
      const [a, b] = await Promise.all([one, other].map(async (file) => new Uint8Array(await file.slice(start, start + SAMPLE).arrayBuffer())));
      if (a.some((byte, index) => byte !== b[index])) return false;
    }
    return true;
  } catch {
    return false; // a file that cannot be read fails when it is uploaded, with a message
  }
}

/**
 * Add a file unless it is one of others: files of different folders may have the same name, size and time.
 * @param {Field} field
 * @param {Chosen} chosen
 * @param {File[]} others
 */
export async function addUnlessSame(field, chosen, others) {
  const { file } = chosen;
  for (const other of others) {
    if (file === other || (await haveSameContent(file, other))) {
      return field.view.notify("duplicate", message("duplicate", { name: file.name }));
    }
  }
  await field.add([chosen]);
}
