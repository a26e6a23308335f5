import { DirectUploadFailure } from "./failure.js";
import { Md5 } from "./md5.js";

const STEP = 1024 * 1024;

/**
 * The MD5 of data of any size, a step at a time: the next step is read while this one is digested.
 * @param {Blob} data
 * @param {AbortSignal} [signal]
 */
export async function readMd5(data, signal) {
  const md5 = new Md5();
  let reading = read(data, 0);
  for (let at = 0; at < data.size; at += STEP) {
    const bytes = await reading;
    signal?.throwIfAborted();
    reading = read(data, at + STEP);
    md5.update(bytes);
  }
  await reading;
  return md5.hex();
}

/**
 * @param {Blob} data
 * @param {number} from
 */
async function read(data, from) {
  try {
    return new Uint8Array(await data.slice(from, from + STEP).arrayBuffer());
  } catch {
    throw new DirectUploadFailure("file-changed"); // gone, or no more what was chosen
  }
}
