import { DirectUploadFailure } from "../engine/failure.js";
import { Md5 } from "./md5.js";

/** Bytes of the one buffer that all reads use. */
const BUFFER = 256 * 1024;
/** Milliseconds that a read may take, doubled each time. In Chromium one of some hundred streams hangs forever. */
const TIMEOUT = 1000;

/** Milliseconds before the first retry of a read that failed; the second one waits twice as long. */
const RETRY_DELAY = 300;

/** The reads in progress, so that the page reads few files at once. @type {Promise<unknown>[]} */
const reading = Array(4).fill(Promise.resolve());

/**
 * Return the MD5 of data in the page itself.
 * @param {Blob} data
 * @param {AbortSignal} [signal]
 * @returns {Promise<string>}
 */
export function readInTurn(data, signal) {
  const result = Promise.resolve(reading.shift()).then(() => {
    signal?.throwIfAborted();
    return readMd5(data, signal);
  });
  reading.push(result.catch(() => undefined));
  return result;
}

/**
 * Return the MD5 of data of any size. It is read in pieces, and the browser reads the next one during hashing.
 * @param {Blob} data
 * @param {AbortSignal} [signal]
 */
export async function readMd5(data, signal) {
  const md5 = new Md5();
  let offset = 0;
  let failures = 0;
  for (let timeout = TIMEOUT; ; timeout *= 2) {
    const { size, end } = await update(md5, offset ? data.slice(offset) : data, timeout, signal);
    if (end === "done") return md5.hex();
    // WebKit ends all reads for a moment when a download begins, so one failure does not mean that the file changed.
    if (end === "failed") {
      if (++failures > 2) throw new DirectUploadFailure("file-changed");
      await new Promise((resolve) => { setTimeout(resolve, failures * RETRY_DELAY); });
    }
    offset += size;
  }
}

/**
 * Hash until the end, or until a read hangs or fails, and return the number of bytes.
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
      if (bytes === "late" || bytes === "failed") return { size, end: bytes };
      md5.update(bytes);
    }
  } finally {
    cancel();
  }
  return { size, end: "done" };
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
    read: () => read().catch(() => /** @type {const} */ ("failed")),
    cancel: () => void reader.cancel().catch(() => undefined),
  };
}
