import assert from "node:assert/strict";
import { test } from "node:test";

import { makeFile, MOUNT, problem, until, World } from "./world.js";

/** A world in which an upload of 500 bytes was cut off after three segments of 100, as by a killed browser. */
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
const said = (world) => world.app.calls.map(({ verb }) => verb);

test("what is stored is not sent again", async () => {
  const world = await interrupted();
  const result = await world.end(world.upload(makeFile(500)));
  assert.deepEqual(said(world), ["status", "sign", "complete"]);
  assert.deepEqual(sent(world), [3, 4]);
  assert.equal(result.receipt, "the-receipt");
  assert.equal(world.reports.at(-1).loaded, 500);
  assert.equal(world.records.saved.size, 0);
});

test("what storage has otherwise than the file is sent again", async () => {
  const world = await interrupted();
  world.storage.objects.get(1).etag = "something else";
  world.storage.objects.get(2).size = 7;
  await world.end(world.upload(makeFile(500)));
  assert.deepEqual(sent(world), [1, 2, 3, 4]);
});

for (const [what, file] of [
  ["another name", makeFile(500, "other.pdf")],
  ["another size", makeFile(501)],
  ["another time", new File([makeFile(500)], "report.pdf", { lastModified: 1 })],
  ["other bytes at its end", new File([makeFile(499), "!"], "report.pdf", { lastModified: 1_700_000_000_000 })],
]) {
  test(`a file of ${what} is another upload`, async () => {
    const world = await interrupted();
    await world.end(world.upload(file));
    assert.equal(said(world)[0], "begin");
    assert.equal(world.records.saved.has("upload-1"), true, "the other one can still be taken up");
  });
}

for (const [what, status, code, stays] of [
  ["of another person's", 403, "not-yours", true],
  ["that the application does not take", 401, "not-authenticated", true],
  ["that has expired", 410, "ticket-expired", false],
  ["that is gone", 404, "not-found", false],
]) {
  test(`a record ${what} is ${stays ? "left alone" : "removed"}, and a new upload begun`, async () => {
    const world = await interrupted();
    world.app.intercept = ({ verb }) => (verb === "status" ? problem(status, code) : undefined);
    await world.end(world.upload(makeFile(500)));
    assert.deepEqual(said(world).slice(0, 2), ["status", "begin"]);
    assert.equal(sent(world).length, 5);
    assert.equal(world.records.saved.has("upload-1"), stays);
  });
}

test("another user of the browser neither finds it nor asks for it, and its owner does", async () => {
  const world = await interrupted();
  world.owners.clear(); // another page
  world.app.user = "bob";
  await world.end(world.upload(makeFile(500)));
  assert.deepEqual(said(world).slice(0, 2), ["owner", "begin"]);
  assert.ok(!said(world).includes("status"));
  assert.deepEqual([...world.records.saved.keys()], ["upload-1"]);

  world.owners.clear();
  world.app.user = "ann";
  world.app.isComplete = false;
  world.app.calls.length = 0;
  await world.end(world.upload(makeFile(500)));
  assert.deepEqual(said(world).slice(0, 2), ["owner", "status"]);
});

test("whoever logged in since is found out, in a page that is open still", async () => {
  const world = await interrupted();
  world.app.user = "bob";
  world.app.intercept = ({ path }) => (path === "uploads/upload-1" ? problem(403, "not-yours") : undefined);
  await world.end(world.upload(makeFile(500)));
  assert.deepEqual([...world.owners.values()], [world.app.owners.bob]);
  assert.equal(world.records.saved.get("upload-1").owner, world.app.owners.ann, "is left for its owner");
});

test("nobody is asked whose records there are where there are none", async () => {
  const world = new World();
  await world.end(world.upload(makeFile(50)));
  assert.deepEqual(said(world), ["begin", "complete"]);
});

test("somebody who is logged out is told so", async () => {
  const world = await interrupted();
  world.owners.clear();
  world.app.intercept = () => problem(401, "not-authenticated");
  await assert.rejects(world.end(world.upload(makeFile(500))), { code: "not-authenticated" });
  assert.equal(world.records.saved.size, 1);
});

test("a record of another mount is not asked for", async () => {
  const world = await interrupted();
  world.records.saved.get("upload-1").mount = new URL("/elsewhere/", MOUNT).href;
  await world.end(world.upload(makeFile(500)));
  assert.equal(said(world)[0], "begin");
});

test("an upload under way elsewhere is not taken over", async () => {
  const world = await interrupted();
  world.claimed.add("upload-1");
  await world.end(world.upload(makeFile(500)));
  assert.equal(said(world)[0], "begin");
});

test("the same file twice at once is two uploads", async () => {
  const world = new World();
  world.storage.reply = () => undefined;
  const runs = [world.upload(makeFile(50)), world.upload(makeFile(50))];
  await until(() => world.app.begun === 2 && world.storage.open.length === 2);
  for (const run of runs) run.abort();
});

test("a completion that was answered but not heard is heard again, and nothing is sent", async () => {
  const world = new World({ parallel: 1 });
  world.app.intercept = async (call) => {
    if (call.verb !== "complete") return undefined;
    world.app.complete(call);
    return new TypeError("the connection was lost");
  };
  await assert.rejects(world.end(world.upload(makeFile(500), { retries: 0 })), { code: "network" });
  assert.equal(world.records.saved.get("upload-1").etags.length, 5);

  world.app.intercept = () => undefined;
  world.storage.puts.length = world.app.calls.length = 0;
  const result = await world.end(world.upload(makeFile(500)));
  assert.deepEqual(said(world), ["status", "complete"]);
  assert.deepEqual(sent(world), []);
  assert.equal(result.receipt, "the-receipt");
});

test("what was found stored is remembered too, before completion", async () => {
  const world = await interrupted();
  world.storage.reply = () => 201;
  await world.end(world.upload(makeFile(500)));
  const [earlier] = (await interrupted()).records.saved.values();
  world.app.isComplete = false;
  await world.records.save({ ...earlier, etags: [] });
  world.app.intercept = ({ verb }) => (verb === "complete" ? new TypeError("lost") : undefined);
  world.storage.puts.length = 0;
  await assert.rejects(world.end(world.upload(makeFile(500), { retries: 0 })), { code: "network" });
  assert.equal(world.storage.puts.length, 0);
  assert.equal(world.records.saved.get("upload-1").etags.length, 5);
});

test("an upload that was completed with other bytes is left, and a new one begun", async () => {
  const world = await interrupted();
  world.app.isComplete = true;
  const complete = world.app.sign.bind(world.app);
  world.app.sign = (call) => (call.path.includes("upload-1") ? problem(409, "already-complete") : complete(call));
  world.app.intercept = ({ verb }) => {
    if (verb === "begin") world.app.isComplete = false;
    return undefined;
  };
  await world.end(world.upload(makeFile(500)));
  assert.ok(said(world).includes("begin"));
  assert.equal(world.records.saved.size, 0);
});

test("an application that cannot be reached is not taken for one that says no", async () => {
  const world = await interrupted();
  world.app.intercept = ({ verb }) => (verb === "status" ? problem(503, "storage-unavailable") : undefined);
  await assert.rejects(world.end(world.upload(makeFile(500), { retries: 1 })), { code: "storage-unavailable" });
  assert.equal(world.records.saved.size, 1);
});

test("a failed upload is remembered, an aborted one is not", async () => {
  const world = new World();
  world.storage.reply = () => 503;
  await assert.rejects(world.end(world.upload(makeFile(50), { retries: 1 })), { code: "storage-error" });
  assert.equal(world.records.saved.size, 1);
});
