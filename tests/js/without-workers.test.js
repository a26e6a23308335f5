// Without workers hashing is slow, so segments are sent before their hash is known.
import assert from "node:assert/strict";
import { test } from "node:test";

import { HashPool } from "../../static/hashing/hash-pool.js";
import { makeFile, md5, settle, until, World } from "./world.js";

function slowWorld() {
  const world = new World({ parallel: 2 });
  let go;
  const held = new Promise((resolve) => { go = resolve; });
  world.hashing = () => (world.hashed.length > 1 ? held : undefined); // the first one is the fingerprint
  return { world, go };
}

test("segments are sent without waiting for their hash", async () => {
  const { world, go } = slowWorld();
  const run = world.upload(makeFile(500));
  await until(() => world.storage.objects.size === 2);
  assert.ok(world.storage.puts.every(({ headers }) => !("ETag" in headers)));
  await settle();
  assert.deepEqual(world.app.named("complete"), []);
  go();
  await world.end(run);
  assert.deepEqual(world.storage.puts.map(({ index }) => index), [0, 1, 2, 3, 4]);
  const bytes = new Uint8Array(await makeFile(500).slice(400).arrayBuffer());
  assert.deepEqual(world.app.named("complete")[0].body.segments[4], { index: 4, etag: md5(bytes) });
});

test("a segment that was damaged in transit is found by complete, and sent again", async () => {
  const { world, go } = slowWorld();
  go();
  world.app.intercept = ({ operation }) => {
    if (operation === "complete" && world.storage.puts.length === 5) world.storage.objects.get(3).etag = "damaged";
  };
  await world.end(world.upload(makeFile(500)));
  assert.deepEqual(world.storage.puts.map(({ index }) => index), [0, 1, 2, 3, 4, 3]);
});

test("segments that an earlier page stored are compared before they are sent again", async () => {
  const { world, go } = slowWorld();
  world.storage.reply = ({ index }) => (index < 3 ? 201 : 503);
  go();
  await assert.rejects(world.end(world.upload(makeFile(500), { retries: 0 })));
  world.storage.puts.length = 0;
  world.storage.reply = () => 201;
  await world.end(world.upload(makeFile(500)));
  assert.deepEqual(world.storage.puts.map(({ index }) => index), [3, 4]);
});

test("a page without workers logs that once, and still computes hashes", async (t) => {
  const said = t.mock.method(console, "info", () => undefined);
  const pool = new HashPool(2, () => { throw new Error("blocked by the page's policy"); });
  assert.equal(pool.hasWorkers, true);
  const bytes = Uint8Array.from({ length: 3_000_000 }, (_, at) => at % 251);
  const etags = await Promise.all([pool.hash(new Blob([bytes])), pool.hash(new Blob([]))]);
  assert.deepEqual(etags, [md5(bytes), md5(new Uint8Array())]);
  assert.equal(pool.hasWorkers, false);
  assert.equal(said.mock.callCount(), 1);
  assert.match(said.mock.calls[0].arguments[0], /worker-src/);
});
