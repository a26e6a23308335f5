import assert from "node:assert/strict";
import { test } from "node:test";

import { HashPool } from "../../static/hashing/hash-pool.js";
import { md5 } from "./world.js";

/** A worker that answers when the test calls `answer`. */
class FakeWorker {
  static all = [];
  terminated = false;
  constructor() { FakeWorker.all.push(this); }
  postMessage(data) { this.data = data; }
  terminate() { this.terminated = true; }
  answer(answer) { this.onmessage({ data: answer }); }
}

function pool(size) {
  FakeWorker.all = [];
  return new HashPool(size, () => new FakeWorker());
}

test("hashes are computed by a limited number of workers", async () => {
  const hashers = pool(2);
  const hashes = ["a", "b", "c"].map((text) => hashers.hash(new Blob([text])));
  assert.equal(FakeWorker.all.length, 2);
  FakeWorker.all[1].answer({ etag: "etag b" });
  assert.equal(await hashes[1], "etag b");
  FakeWorker.all[1].answer({ etag: "etag c" });
  FakeWorker.all[0].answer({ code: "file-changed" });
  assert.equal(await hashes[2], "etag c");
  await assert.rejects(hashes[0], { name: "DirectUploadFailure", code: "file-changed" });
});

test("idle workers are terminated", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const hashers = pool(1);
  const hash = hashers.hash(new Blob(["a"]));
  FakeWorker.all[0].answer({ etag: "etag a" });
  await hash;
  t.mock.timers.tick(9_999);
  assert.equal(FakeWorker.all[0].terminated, false);
  t.mock.timers.tick(1);
  assert.equal(FakeWorker.all[0].terminated, true);
});

test("a worker is replaced after sixteen jobs", async () => {
  const hashers = pool(1);
  for (let done = 0; done < 17; done += 1) {
    const hash = hashers.hash(new Blob(["a"]));
    FakeWorker.all.at(-1).answer({ etag: "etag a" });
    await hash;
  }
  assert.deepEqual(FakeWorker.all.map(({ terminated }) => terminated), [true, false]);
});

test("an aborted hash frees its worker's place", async () => {
  const hashers = pool(1);
  const aborting = new AbortController();
  const unwanted = hashers.hash(new Blob(["a"]), aborting.signal);
  const wanted = hashers.hash(new Blob(["b"]));
  aborting.abort(new Error("aborted"));
  await assert.rejects(unwanted, /aborted/);
  assert.equal(FakeWorker.all[0].terminated, true);
  FakeWorker.all[1].answer({ etag: "etag b" });
  assert.equal(await wanted, "etag b");
});

for (const [what, spawn] of [
  ["are forbidden", () => { throw new DOMException("", "SecurityError"); }],
  ["do not start", () => {
    const worker = new FakeWorker();
    setImmediate(() => worker.onerror());
    return worker;
  }],
]) {
  test(`when workers ${what} the page computes the hashes itself, and logs that once`, async (t) => {
    const info = t.mock.method(console, "info", () => undefined);
    const hashers = new HashPool(2, spawn);
    const hashes = await Promise.all(["a", "b", "c"].map((text) => hashers.hash(new Blob([text]))));
    assert.deepEqual(hashes, ["a", "b", "c"].map(md5));
    assert.equal(info.mock.callCount(), 1);
  });
}
