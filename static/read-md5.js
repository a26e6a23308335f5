import { DirectUploadFailure } from "./failure.js";
import { Md5 } from "./md5.js";

/** Bytes of the buffer into which all of the data is read, one piece after the other. */
const BUFFER = 256 * 1024;

/**
 * The MD5 of data of any size, which is read a piece at a time: the browser reads on while we digest.
 * @param {Blob} data
 * @param {AbortSignal} [signal]
 */
export async function readMd5(data, signal) {
  const md5 = new Md5();
  const { read, cancel } = reading(data.stream());
  try {
    for (let bytes; (bytes = await read()); ) {
      signal?.throwIfAborted();
      md5.update(bytes);
    }
  } finally {
    cancel();
  }
  return md5.hex();
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
