// What was begun in this browser and not finished.
import assert from "node:assert/strict";
import { test } from "node:test";

import { listUnfinished } from "../../static/resume/unfinished.js";
import { makeFile, MOUNT, problem, until, World } from "./world.js";

/** A world in which an upload of 500 bytes from /album was cut off after three segments, as by a reload. */
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

test("an unfinished upload is told with its name, its size and what is there", async () => {
  const [{ filename, size, loaded }] = await ask(await interrupted());
  assert.deepEqual({ filename, size, loaded }, { filename: "report.pdf", size: 500, loaded: 300 });
});

test("it goes on when its file is chosen again", async () => {
  const world = await interrupted();
  await ask(world);
  await world.end(world.upload(makeFile(500)));
  assert.equal(world.app.verbs("begin").length, 0);
  assert.deepEqual(await ask(world), []);
});

test("one that went on elsewhere is told there", async () => {
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

test("it is told where it was begun, and nowhere else", async () => {
  const world = await interrupted();
  assert.deepEqual(await ask(world, "/portrait photo"), []);
  assert.deepEqual(await ask(world, "/album photos", new URL("/elsewhere/", MOUNT)), []);
  assert.ok(world.app.calls.every(({ path }) => !path.includes("upload-1")));
});

test("another person's is not found, and not asked for", async () => {
  const world = await interrupted();
  world.owners.clear(); // another page
  world.app.user = "bob";
  assert.deepEqual(await ask(world), []);
  assert.deepEqual(world.app.calls.map(({ verb }) => verb), ["owner"]);
  assert.equal(world.records.saved.size, 1);
});

for (const [what, answer] of [
  ["nothing when nobody is logged in", problem(401, "not-authenticated")],
  ["nothing when the application cannot be reached", new TypeError("no network")],
  ["nothing when this browser is unknown to it", { status: 200, body: { owner: null } }],
]) {
  test(`there is ${what}`, async () => {
    const world = await interrupted();
    world.owners.clear();
    world.app.intercept = ({ verb }) => (verb === "owner" ? answer : undefined);
    assert.deepEqual(await ask(world), []);
    assert.equal(world.app.verbs("status").length, 0);
  });
}

test("nobody is asked where nothing is remembered", async () => {
  const world = new World();
  assert.deepEqual(await ask(world), []);
  assert.equal(world.app.calls.length, 0);
});

for (const [what, answer] of [
  ["another person's, of a page that is open still,", problem(403, "not-yours")],
  ["a logged out person's", problem(401, "not-authenticated")],
  ["an expired one", problem(410, "ticket-expired")],
  ["one that nobody can tell of now", new TypeError("no network")],
]) {
  test(`${what} is not told`, async () => {
    const world = await interrupted();
    world.app.intercept = () => answer;
    assert.deepEqual(await ask(world), []);
    assert.equal(world.claimed.size, 0);
    assert.equal(world.records.saved.size, 1);
  });
}

test("one that another page carries out is not told", async () => {
  const world = await interrupted();
  world.claimed.add("upload-1");
  assert.deepEqual(await ask(world), []);
});

test("one that is forgotten is aborted and told no more", async () => {
  const world = await interrupted();
  const [found] = await ask(world);
  await found.abort();
  assert.equal(world.app.verbs("abort").length, 1);
  assert.deepEqual(await ask(world), []);
});
