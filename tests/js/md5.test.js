import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";

import { Md5 } from "../../static/hashing/md5.js";
import { readMd5 } from "../../static/hashing/read-md5.js";
import { md5 } from "./world.js";

test("every length from zero to five blocks has the right digest", () => {
  for (let length = 0; length <= 320; length += 1) {
    const bytes = randomBytes(length);
    assert.equal(new Md5().update(bytes).hex(), md5(bytes), `${length} bytes`);
  }
});

test("the digest does not depend on how the bytes are divided, nor on their alignment", () => {
  for (let round = 0; round < 200; round += 1) {
    const bytes = new Uint8Array(randomBytes(2000)).subarray(round % 7);
    const digest = new Md5();
    for (let at = 0, step; at < bytes.length; at += step) {
      step = 1 + ((at * 7 + round * 13) % 190);
      digest.update(bytes.subarray(at, at + step));
    }
    assert.equal(digest.hex(), md5(bytes));
  }
});

test("a message of more than 2^32 bits has the right digest", () => {
  const piece = Buffer.alloc(2 ** 26, "direct upload");
  const digest = new Md5();
  for (let times = 0; times < 9; times += 1) digest.update(piece);
  assert.equal(digest.hex(), md5(Buffer.concat(Array(9).fill(piece))));
});

for (const size of [0, 1, 1024 * 1024, 3 * 1024 * 1024 + 5]) {
  test(`a blob of ${size} bytes is read and hashed in pieces`, async () => {
    const bytes = randomBytes(size);
    assert.equal(await readMd5(new Blob([bytes])), md5(bytes));
  });
}

test("an abort stops reading", async () => {
  const aborting = new AbortController();
  const reading = readMd5(new Blob([randomBytes(3 * 1024 * 1024)]), aborting.signal);
  aborting.abort(new Error("enough"));
  await assert.rejects(reading, /enough/);
});

for (const type of ["bytes", undefined]) {
  const kind = type ? "of bytes" : "of chunks, as in browsers without byte streams";
  const streamed = (source) => ({ stream: () => new ReadableStream({ type, ...source }) });

  test(`a stream ${kind} is read to its end`, async () => {
    const pieces = Array.from({ length: 9 }, () => new Uint8Array(randomBytes(100_003)));
    const waiting = pieces.map((piece) => piece.slice());
    const pull = (controller) => {
      const piece = waiting.shift();
      if (piece) controller.enqueue(piece);
      else controller.close();
      if (!piece) controller.byobRequest?.respond(0);
    };
    assert.equal(await readMd5(streamed({ pull })), md5(Buffer.concat(pieces)));
  });

  test(`a file that cannot be read from a stream ${kind} is reported as changed`, async () => {
    const pull = () => Promise.reject(new DOMException("", "NotReadableError"));
    await assert.rejects(readMd5(streamed({ pull })), { code: "file-changed" });
  });
}

test("a read that the browser ends is repeated from where it was", async () => {
  const bytes = randomBytes(3000);
  let reads = 0;
  const part = (from) => ({
    slice: (further) => part(from + further),
    stream: () => new ReadableStream({
      pull(controller) {
        reads += 1;
        if (reads === 2) return Promise.reject(new DOMException("", "AbortError"));
        controller.enqueue(new Uint8Array(bytes.subarray(from, from + (from ? 3000 : 1000))));
        if (from) controller.close();
      },
    }),
  });
  assert.equal(await readMd5(part(0)), md5(bytes));
});

test("a read that hangs is repeated from where it was, with a longer timeout each time", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const bytes = randomBytes(3000);
  const asked = [];
  const cut = (from) => ({
    slice: (further) => cut(from + further),
    stream() {
      asked.push(from);
      let isFirst = true;
      const pull = (controller) => {
        if (isFirst) controller.enqueue(new Uint8Array(bytes.subarray(from, from + 1000)));
        else if (from < 2000) return new Promise(() => {});
        else controller.close();
        isFirst = false;
      };
      return new ReadableStream({ pull });
    },
  });
  const reading = readMd5(cut(0));
  for (const milliseconds of [1000, 2000]) {
    await new Promise(setImmediate);
    t.mock.timers.tick(milliseconds - 1);
    await new Promise(setImmediate);
    assert.deepEqual(asked, milliseconds === 1000 ? [0] : [0, 1000]);
    t.mock.timers.tick(1);
  }
  assert.equal(await reading, md5(bytes));
  assert.deepEqual(asked, [0, 1000, 2000]);
});
