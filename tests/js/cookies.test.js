// A browser that does not return the cookie, or returns another tab's.
import assert from "node:assert/strict";
import { test } from "node:test";

import { startAll } from "../../static/engine/upload-all.js";
import { makeFile, MOUNT, problem, World } from "./world.js";

const LARGE = 600 * 1024;
const operations = (world) => world.app.calls.map(({ operation }) => operation);

function makeWorld() {
  return new World({ segmentSize: 200 * 1024 });
}

const uploadAll = (world, files) => startAll(MOUNT, files, {}, world.env);

/** Make the application refuse the tickets of some begins. */
function refuseTickets(world, isRefused) {
  world.app.intercept = ({ headers, path }) => (headers["Upload-Ticket"] && isRefused(path) ? problem(403, "not-yours") : undefined);
}

test("without cookies the upload fails before anything is sent, and the console says why", async () => {
  const world = makeWorld();
  refuseTickets(world, () => true);
  await assert.rejects(world.end(world.upload(makeFile(LARGE))), { code: "not-yours", cause: "cookies", status: 403 });
  assert.deepEqual(operations(world), ["begin", "sign", "begin", "sign"]);
  assert.equal(world.storage.puts.length, 0);
  assert.deepEqual(world.advice.at(-1), ["cookies", "https://app.example"]);
  assert.equal(world.records.saved.size + world.claimed.size, 0);
});

test("without cookies a small file, which is sent at once, fails with the same cause", async () => {
  const world = makeWorld();
  refuseTickets(world, () => true);
  await assert.rejects(world.end(world.upload(makeFile(60))), { code: "not-yours", cause: "cookies" });
});

for (const size of [60, LARGE]) {
  test(`when another tab replaces the cookie, an upload of ${size} bytes begins again`, async () => {
    const world = makeWorld();
    refuseTickets(world, (path) => path.includes("upload-1"));
    assert.equal((await world.end(world.upload(makeFile(size)))).receipt, "the-receipt");
    assert.equal(world.app.begun, 2);
    assert.ok(world.reports.every(({ loaded }) => loaded <= size));
    assert.deepEqual(world.advice.filter(([topic]) => topic === "cookies"), []);
  });
}

test("the cookie is checked once in a page, and never for a small file", async () => {
  const world = makeWorld();
  await world.end(world.upload(makeFile(LARGE, "a")));
  await world.end(world.upload(makeFile(LARGE, "b")));
  assert.equal(world.app.named("sign").length, 1);
  const other = makeWorld();
  await other.end(other.upload(makeFile(60)));
  assert.deepEqual(operations(other), ["begin", "complete"]);
});

test("files that are chosen together share one check", async () => {
  const world = makeWorld();
  const files = ["a", "b", "c", "d"].map((name) => makeFile(LARGE, name));
  await world.end(uploadAll(world, files));
  assert.equal(world.app.named("sign").length, 1);
});

test("without cookies, files that are chosen together share the refusal too", async () => {
  const world = makeWorld();
  refuseTickets(world, () => true);
  const files = ["a", "b", "c", "d"].map((name) => makeFile(LARGE, name));
  await assert.rejects(world.end(uploadAll(world, files)), { code: "not-yours", cause: "cookies" });
  assert.equal(world.app.named("sign").length, 2);
  assert.equal(world.storage.puts.length, 0);
});

test("a check that ends because its upload was aborted does not stop the others", async () => {
  const world = makeWorld();
  const first = world.upload(makeFile(LARGE, "a"));
  world.app.intercept = ({ operation }) => {
    if (operation !== "sign") return undefined;
    first.abort();
    return undefined;
  };
  const others = ["b", "c"].map((name) => world.upload(makeFile(LARGE, name)));
  await assert.rejects(world.end(first), { code: "aborted" });
  for (const other of others) assert.equal((await world.end(other)).receipt, "the-receipt");
});

test("a check that fails for another reason does not stop the upload", async () => {
  const world = makeWorld();
  world.app.intercept = ({ operation }) => (operation === "sign" ? problem(503, "storage-unavailable") : undefined);
  assert.equal((await world.end(world.upload(makeFile(LARGE)))).receipt, "the-receipt");
});

test("when another user logs in later, the upload fails and does not begin again", async () => {
  const world = makeWorld();
  await world.end(world.upload(makeFile(LARGE, "a")));
  refuseTickets(world, () => true);
  const failure = await world.end(world.upload(makeFile(LARGE, "b"))).catch((error) => error);
  assert.deepEqual([failure.code, failure.cause], ["not-yours", undefined]);
  assert.equal(world.app.begun, 2);
});
