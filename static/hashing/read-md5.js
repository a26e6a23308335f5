import { DirectUploadFailure } from "../engine/failure.js";
import { Md5 } from "./md5.js";

/** Bytes of the one buffer that all reads use. */
const BUFFER = 256 * 1024;
/** Milliseconds that a read may take, doubled each time. In Chromium one of some hundred streams hangs forever. */
const TIMEOUT = 1000;

/**
 * Return the MD5 of data of any size. It is read in pieces, and the browser reads the next one during hashing.
 * @param {Blob} data
 * @param {AbortSignal} [signal]
 */
export async function readMd5(data, signal) {
  const md5 = new Md5();
  let offset = 0;
  for (let timeout = TIMEOUT; ; timeout *= 2) {
    const { size, ended } = await update(md5, offset ? data.slice(offset) : data, timeout, signal);
    if (ended) return md5.hex();
    offset += size;
  }
}

/**
 * Hash until the end, or until a read hangs, and return the number of bytes.
 * @param {Md5} md5
 * @param {Blob} data
 * @param {number} timeout
 * @param {AbortSignal} [signal]
 */
async function update(md5, data, timeout, signal) {
  const { read, cancel } = openReader(data.stream());
  let size = 0;
  try {
    for (let bytes; (bytes = await withTimeout(timeout, read())); size += bytes.length) {
      signal?.throwIfAborted();
      if (bytes === "late") return { size, ended: false };
      md5.update(bytes);
    }
  } finally {
    cancel();
  }
  return { size, ended: true };
}

/**
 * @template T
 * @param {number} milliseconds
 * @param {Promise<T>} promise
 * @returns {Promise<T | "late">}
 */
function withTimeout(milliseconds, promise) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const late = new Promise((resolve) => { timer = setTimeout(resolve, milliseconds, "late"); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/**
 * Read into one buffer where the browser's streams support it: otherwise each piece occupies memory until it is
 * garbage-collected.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 */
function openReader(stream) {
  try {
    const reader = stream.getReader({ mode: "byob" });
    let buffer = new ArrayBuffer(BUFFER);
    return wrapReader(reader, async () => {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (value) ({ buffer } = value);
      return done ? undefined : value;
    });
  } catch {
    const reader = stream.getReader();
    return wrapReader(reader, async () => (await reader.read()).value);
  }
}

/**
 * @param {ReadableStreamGenericReader} reader
 * @param {() => Promise<Uint8Array | undefined>} read undefined at the end
 */
function wrapReader(reader, read) {
  return {
    read: () => read().catch(() => {
      throw new DirectUploadFailure("file-changed"); // the file was removed or changed
    }),
    cancel: () => void reader.cancel().catch(() => undefined),
  };
}
