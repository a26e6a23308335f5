import assert from "node:assert/strict";
import { test } from "node:test";

import { makeFile, MOUNT, World } from "./world.js";

/** Return a file whose modification time is read from `read`. */
function makeFileWithTime(size, read) {
  return Object.defineProperty(makeFile(size), "lastModified", { get: read });
}

let ticks = 0;
for (const [what, read] of [
  ["the present time", (world) => world.clock.time],
  ["the present time, in whole seconds", (world) => Math.floor(world.clock.time / 1000) * 1000],
  ["another value each time", () => (ticks += 3_600_000)],
]) {
  test(`a file whose modification time is ${what} is uploaded`, async () => {
    const world = new World({ parallel: 1 });
    world.storage.reply = () => {
      world.clock.time += 10_000;
      return 201;
    };
    await world.end(world.upload(makeFileWithTime(300, () => read(world))));
    assert.equal(world.storage.puts.length, 3);
  });

  test(`a file whose modification time is ${what} is resumed`, async () => {
    const world = new World({ parallel: 1 });
    world.storage.reply = ({ index }) => (index < 2 ? 201 : 503);
    const send = () => world.end(world.upload(makeFileWithTime(300, () => read(world)), { retries: 0 }));
    await assert.rejects(send());
    world.storage.reply = () => 201;
    world.storage.puts.length = 0;
    world.clock.time += 100_000;
    await send();
    assert.deepEqual(world.storage.puts.map(({ index }) => index), [2]);
  });
}

for (const [what, age] of [["just now", 0], ["a second ago", 1000]]) {
  test(`a file that was modified ${what} is resumed later`, async () => {
    const world = new World({ parallel: 1 });
    world.storage.reply = ({ index }) => (index < 2 ? 201 : 503);
    const modified = world.clock.time - age;
    const send = () => world.end(world.upload(makeFileWithTime(300, () => modified), { retries: 0 }));
    await assert.rejects(send());
    world.storage.reply = () => 201;
    world.storage.puts.length = 0;
    world.clock.time += 100_000;
    await send();
    assert.deepEqual(world.storage.puts.map(({ index }) => index), [2]);
    assert.equal(world.app.begun, 1);
  });
}

test("two files with the same name, size and time, but other content, are two uploads", async () => {
  const world = new World();
  world.storage.reply = () => 503;
  const file = (text) => new File([text], "x.txt", { lastModified: 1 });
  await assert.rejects(world.end(world.upload(file("aa"), { retries: 0 })));
  world.storage.reply = () => 201;
  await world.end(world.upload(file("bb")));
  assert.equal(world.app.begun, 2);
  assert.equal((await world.records.all(world.app.owners.ann, MOUNT.href)).length, 1);
});
