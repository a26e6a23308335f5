import { DirectUploadFailure } from "../engine/failure.js";
import { Md5 } from "./md5.js";

/** Bytes of the buffer into which all of the data is read, one piece after the other. */
const BUFFER = 256 * 1024;
/** Milliseconds that a read may take, then twice as many. Of some hundred streams Chromium lets one hang for ever. */
const PATIENCE = 1000;

/**
 * The MD5 of data of any size, which is read a piece at a time: the browser reads on while we digest.
 * @param {Blob} data
 * @param {AbortSignal} [signal]
 */
export async function readMd5(data, signal) {
  const md5 = new Md5();
  let at = 0;
  for (let patience = PATIENCE; ; patience *= 2) {
    const { size, ended } = await digest(md5, at ? data.slice(at) : data, patience, signal);
    if (ended) return md5.hex();
    at += size;
  }
}

/**
 * Digests until the end, or until a read hangs, and tells how much that was.
 * @param {Md5} md5
 * @param {Blob} data
 * @param {number} patience
 * @param {AbortSignal} [signal]
 */
async function digest(md5, data, patience, signal) {
  const { read, cancel } = reading(data.stream());
  let size = 0;
  try {
    for (let bytes; (bytes = await within(patience, read())); size += bytes.length) {
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
function within(milliseconds, promise) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const late = new Promise((resolve) => { timer = setTimeout(resolve, milliseconds, "late"); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/**
 * One buffer for all, where streams of bytes have such readers: pieces of their own pile up until they are collected.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream
 */
function reading(stream) {
  try {
    const reader = stream.getReader({ mode: "byob" });
    let buffer = new ArrayBuffer(BUFFER);
    return told(reader, async () => {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (value) ({ buffer } = value);
      return done ? undefined : value;
    });
  } catch {
    const reader = stream.getReader();
    return told(reader, async () => (await reader.read()).value);
  }
}

/**
 * @param {ReadableStreamGenericReader} reader
 * @param {() => Promise<Uint8Array | undefined>} read undefined at the end
 */
function told(reader, read) {
  return {
    read: () => read().catch(() => {
      throw new DirectUploadFailure("file-changed"); // gone, or no more what was chosen
    }),
    cancel: () => void reader.cancel().catch(() => undefined),
  };
}
