import assert from "node:assert/strict";
import { test } from "node:test";

import { listUnfinished } from "../../static/resume/unfinished.js";
import { makeFile, MOUNT, problem, until, World } from "./world.js";

/** Return a world in which a reload interrupted an upload from /album after three of five segments. */
async function interrupted(place = "/album photos") {
  const world = new World({ parallel: 1 });
  world.storage.reply = (_, nth) => (nth <= 3 ? 201 : undefined);
  const run = world.upload(makeFile(500), { place });
  await until(() => world.records.saved.get("upload-1")?.etags.length === 3);
  const [remembered] = structuredClone([...world.records.saved.values()]);
  run.abort();
  await until(() => world.records.saved.size === 0 && world.claimed.size === 0);
  await world.records.save(remembered);
  world.app.calls.length = 0;
  world.storage.reply = () => 201;
  return world;
}

const ask = (world, place = "/album photos", mount = MOUNT) => listUnfinished(mount, place, world.env);

test("an unfinished upload is listed with its name, its size and the stored bytes", async () => {
  const [{ filename, size, loaded }] = await ask(await interrupted());
  assert.deepEqual({ filename, size, loaded }, { filename: "report.pdf", size: 500, loaded: 300 });
});

test("it is resumed when its file is chosen again", async () => {
  const world = await interrupted();
  await ask(world);
  await world.end(world.upload(makeFile(500)));
  assert.equal(world.app.named("begin").length, 0);
  assert.deepEqual(await ask(world), []);
});

test("one that was resumed at another place is listed there", async () => {
  const world = await interrupted();
  world.storage.reply = ({ index }) => (index <= 3 ? 201 : undefined);
  const run = world.upload(makeFile(500), { place: "/portrait photo" });
  await until(() => world.records.saved.get("upload-1")?.etags.length === 4);
  const [remembered] = structuredClone([...world.records.saved.values()]);
  run.abort();
  await until(() => world.records.saved.size === 0 && world.claimed.size === 0);
  await world.records.save(remembered);
  assert.deepEqual(await ask(world), []);
  assert.equal((await ask(world, "/portrait photo"))[0].loaded, 400);
});

test("it is listed at the place where it began, and nowhere else", async () => {
  const world = await interrupted();
  assert.deepEqual(await ask(world, "/portrait photo"), []);
  assert.deepEqual(await ask(world, "/album photos", new URL("/elsewhere/", MOUNT)), []);
  assert.ok(world.app.calls.every(({ path }) => !path.includes("upload-1")));
});

test("another user's is not found, and its status is not requested", async () => {
  const world = await interrupted();
  world.owners.clear(); // another page
  world.app.user = "bob";
  assert.deepEqual(await ask(world), []);
  assert.deepEqual(world.app.calls.map(({ operation }) => operation), ["owner"]);
  assert.equal(world.records.saved.size, 1);
});

for (const [what, answer] of [
  ["nobody is logged in", problem(401, "not-authenticated")],
  ["the application cannot be reached", new TypeError("no network")],
  ["the application does not know this browser", { status: 200, body: { owner: null } }],
]) {
  test(`the list is empty when ${what}`, async () => {
    const world = await interrupted();
    world.owners.clear();
    world.app.intercept = ({ operation }) => (operation === "owner" ? answer : undefined);
    assert.deepEqual(await ask(world), []);
    assert.equal(world.app.named("status").length, 0);
  });
}

test("without records no request is made", async () => {
  const world = new World();
  assert.deepEqual(await ask(world), []);
  assert.equal(world.app.calls.length, 0);
});

for (const [what, answer] of [
  ["another user's, in a page that is still open,", problem(403, "not-yours")],
  ["a logged out user's", problem(401, "not-authenticated")],
  ["an expired one", problem(410, "ticket-expired")],
  ["one whose status is not available", new TypeError("no network")],
]) {
  test(`${what} is not listed`, async () => {
    const world = await interrupted();
    world.app.intercept = () => answer;
    assert.deepEqual(await ask(world), []);
    assert.equal(world.claimed.size, 0);
    assert.equal(world.records.saved.size, 1);
  });
}

test("one that another page is sending is not listed", async () => {
  const world = await interrupted();
  world.claimed.add("upload-1");
  assert.deepEqual(await ask(world), []);
});

test("one can be aborted, and is not listed afterwards", async () => {
  const world = await interrupted();
  const [found] = await ask(world);
  await found.abort();
  assert.equal(world.app.named("abort").length, 1);
  assert.deepEqual(await ask(world), []);
});
