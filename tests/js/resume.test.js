import assert from "node:assert/strict";
import { test } from "node:test";

import { makeFile, MOUNT, problem, until, World } from "./world.js";

/** Return a world in which a browser was killed after three of five segments of 100 bytes. */
async function interrupted() {
  const world = new World({ parallel: 1 });
  world.storage.reply = (_, nth) => (nth <= 3 ? 201 : undefined);
  const run = world.upload(makeFile(500));
  await until(() => world.storage.objects.size === 3 && world.storage.open.length === 1);
  await until(() => world.records.saved.get("upload-1").etags.length === 3);
  const remembered = structuredClone([...world.records.saved.values()]);
  run.abort();
  await until(() => world.records.saved.size === 0 && world.claimed.size === 0);
  for (const record of remembered) await world.records.save(record);
  world.storage.puts.length = world.app.calls.length = world.reports.length = 0;
  world.storage.reply = () => 201;
  return world;
}

const sent = (world) => world.storage.puts.map(({ index }) => index);
const operations = (world) => world.app.calls.map(({ operation }) => operation);

test("stored segments are not sent again", async () => {
  const world = await interrupted();
  const result = await world.end(world.upload(makeFile(500)));
  assert.deepEqual(operations(world), ["status", "sign", "complete"]);
  assert.deepEqual(sent(world), [3, 4]);
  assert.equal(result.receipt, "the-receipt");
  assert.equal(world.reports.at(-1).loaded, 500);
  assert.equal(world.records.saved.size, 0);
});

test("segments that differ from the file are sent again", async () => {
  const world = await interrupted();
  world.storage.objects.get(1).etag = "something else";
  world.storage.objects.get(2).size = 7;
  await world.end(world.upload(makeFile(500)));
  assert.deepEqual(sent(world), [1, 2, 3, 4]);
});

for (const [what, file] of [
  ["with another name", makeFile(500, "other.pdf")],
  ["with another size", makeFile(501)],
  ["with another time", new File([makeFile(500)], "report.pdf", { lastModified: 1 })],
  ["with other bytes at its end", new File([makeFile(499), "!"], "report.pdf", { lastModified: 1_700_000_000_000 })],
]) {
  test(`a file ${what} is another upload`, async () => {
    const world = await interrupted();
    await world.end(world.upload(file));
    assert.equal(operations(world)[0], "begin");
    assert.equal(world.records.saved.has("upload-1"), true, "the other one can still be resumed");
  });
}

for (const [what, status, code, stays] of [
  ["of another user", 403, "not-yours", true],
  ["that needs a login", 401, "not-authenticated", true],
  ["that has expired", 410, "ticket-expired", false],
  ["that is gone", 404, "not-found", false],
]) {
  test(`a record ${what} is ${stays ? "kept" : "removed"}, and a new upload begins`, async () => {
    const world = await interrupted();
    world.app.intercept = ({ operation }) => (operation === "status" ? problem(status, code) : undefined);
    await world.end(world.upload(makeFile(500)));
    assert.deepEqual(operations(world).slice(0, 2), ["status", "begin"]);
    assert.equal(sent(world).length, 5);
    assert.equal(world.records.saved.has("upload-1"), stays);
  });
}

test("another user of the browser does not find a record, and its owner does", async () => {
  const world = await interrupted();
  world.owners.clear(); // another page
  world.app.user = "bob";
  await world.end(world.upload(makeFile(500)));
  assert.deepEqual(operations(world).slice(0, 2), ["owner", "begin"]);
  assert.ok(!operations(world).includes("status"));
  assert.deepEqual([...world.records.saved.keys()], ["upload-1"]);

  world.owners.clear();
  world.app.user = "ann";
  world.app.isComplete = false;
  world.app.calls.length = 0;
  await world.end(world.upload(makeFile(500)));
  assert.deepEqual(operations(world).slice(0, 2), ["owner", "status"]);
});

test("a page notices that another user has logged in since", async () => {
  const world = await interrupted();
  world.app.user = "bob";
  world.app.intercept = ({ path }) => (path === "uploads/upload-1" ? problem(403, "not-yours") : undefined);
  await world.end(world.upload(makeFile(500)));
  assert.deepEqual([...world.owners.values()], [world.app.owners.bob]);
  assert.equal(world.records.saved.get("upload-1").owner, world.app.owners.ann, "is kept for its owner");
});

test("without records, the owner is not requested", async () => {
  const world = new World();
  await world.end(world.upload(makeFile(50)));
  assert.deepEqual(operations(world), ["begin", "complete"]);
});

test("a user who is logged out gets not-authenticated", async () => {
  const world = await interrupted();
  world.owners.clear();
  world.app.intercept = () => problem(401, "not-authenticated");
  await assert.rejects(world.end(world.upload(makeFile(500))), { code: "not-authenticated" });
  assert.equal(world.records.saved.size, 1);
});

test("a record of another mount is ignored", async () => {
  const world = await interrupted();
  world.records.saved.get("upload-1").mount = new URL("/elsewhere/", MOUNT).href;
  await world.end(world.upload(makeFile(500)));
  assert.equal(operations(world)[0], "begin");
});

test("an upload that another page is sending is not resumed", async () => {
  const world = await interrupted();
  world.claimed.add("upload-1");
  await world.end(world.upload(makeFile(500)));
  assert.equal(operations(world)[0], "begin");
});

test("the same file twice at the same time is two uploads", async () => {
  const world = new World();
  world.storage.reply = () => undefined;
  const runs = [world.upload(makeFile(50)), world.upload(makeFile(50))];
  await until(() => world.app.begun === 2 && world.storage.open.length === 2);
  for (const run of runs) run.abort();
});

test("complete is repeated when its answer was lost, and nothing is sent", async () => {
  const world = new World({ parallel: 1 });
  world.app.intercept = async (call) => {
    if (call.operation !== "complete") return undefined;
    world.app.complete(call);
    return new TypeError("the connection was lost");
  };
  await assert.rejects(world.end(world.upload(makeFile(500), { retries: 0 })), { code: "network" });
  assert.equal(world.records.saved.get("upload-1").etags.length, 5);

  world.app.intercept = () => undefined;
  world.storage.puts.length = world.app.calls.length = 0;
  const result = await world.end(world.upload(makeFile(500)));
  assert.deepEqual(operations(world), ["status", "complete"]);
  assert.deepEqual(sent(world), []);
  assert.equal(result.receipt, "the-receipt");
});

test("the record has the ETags of segments that were already stored", async () => {
  const world = await interrupted();
  world.storage.reply = () => 201;
  await world.end(world.upload(makeFile(500)));
  const [earlier] = (await interrupted()).records.saved.values();
  world.app.isComplete = false;
  await world.records.save({ ...earlier, etags: [] });
  world.app.intercept = ({ operation }) => (operation === "complete" ? new TypeError("lost") : undefined);
  world.storage.puts.length = 0;
  await assert.rejects(world.end(world.upload(makeFile(500), { retries: 0 })), { code: "network" });
  assert.equal(world.storage.puts.length, 0);
  assert.equal(world.records.saved.get("upload-1").etags.length, 5);
});

test("after an upload was completed with other bytes, a new one begins", async () => {
  const world = await interrupted();
  world.app.isComplete = true;
  const complete = world.app.sign.bind(world.app);
  world.app.sign = (call) => (call.path.includes("upload-1") ? problem(409, "already-complete") : complete(call));
  world.app.intercept = ({ operation }) => {
    if (operation === "begin") world.app.isComplete = false;
    return undefined;
  };
  await world.end(world.upload(makeFile(500)));
  assert.ok(operations(world).includes("begin"));
  assert.equal(world.records.saved.size, 0);
});

test("an unavailable application is not treated as a refusal", async () => {
  const world = await interrupted();
  world.app.intercept = ({ operation }) => (operation === "status" ? problem(503, "storage-unavailable") : undefined);
  await assert.rejects(world.end(world.upload(makeFile(500), { retries: 1 })), { code: "storage-unavailable" });
  assert.equal(world.records.saved.size, 1);
});

test("a failed upload keeps its record, an aborted one does not", async () => {
  const world = new World();
  world.storage.reply = () => 503;
  await assert.rejects(world.end(world.upload(makeFile(50), { retries: 1 })), { code: "storage-error" });
  assert.equal(world.records.saved.size, 1);
});
