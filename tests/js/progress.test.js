import assert from "node:assert/strict";
import { test } from "node:test";

import { makeFile, settle, until, World } from "./world.js";

/** Start an upload of 2000 bytes, whose only segment sends 100 bytes every 100 ms. */
async function startSending(world) {
  world.storage.reply = () => undefined;
  const run = world.upload(makeFile(2000));
  await until(() => world.storage.open.length === 1);
  const move = async (loaded, milliseconds = 100) => {
    world.clock.advance(milliseconds);
    world.storage.open[0].onprogress(loaded);
    await settle();
  };
  for (let step = 1; step <= 15; step += 1) await move(step * 100);
  return { run, move };
}

test("a report has the speed and the remaining time", async () => {
  const world = new World({ segmentSize: 2000 });
  await startSending(world);
  const { speed, timeLeft, loaded } = world.reports.at(-1);
  assert.equal(loaded, 1500);
  assert.ok(Math.abs(speed - 1000) < 1, String(speed));
  assert.ok(Math.abs(timeLeft - 0.5) < 0.01, String(timeLeft));
});

test("during a pause the speed is 0, and the pause does not lower the speed afterwards", async () => {
  const world = new World({ segmentSize: 2000 });
  const { run, move } = await startSending(world);
  run.pause();
  await settle();
  assert.deepEqual([world.reports.at(-1).state, world.reports.at(-1).speed], ["paused", 0]);
  world.clock.advance(600_000);
  run.resume();
  await until(() => world.storage.open.length === 1);
  await move(100);
  assert.ok(world.reports.at(-1).speed > 900, String(world.reports.at(-1).speed));
});

test("segments that an earlier page stored do not count for the speed", async () => {
  const world = new World({ parallel: 1 });
  world.storage.reply = (_, nth) => (nth <= 3 ? 201 : undefined);
  const run = world.upload(makeFile(500));
  await until(() => world.records.saved.get("upload-1")?.etags.length === 3);
  const [remembered] = structuredClone([...world.records.saved.values()]);
  run.abort();
  await until(() => world.records.saved.size === 0 && world.claimed.size === 0);
  await world.records.save(remembered);
  const again = world.upload(makeFile(500));
  await until(() => world.storage.open.length === 1);
  world.clock.advance(2000);
  world.storage.open[0].onprogress(50);
  await until(() => world.reports.at(-1).loaded === 350);
  assert.equal(world.reports.at(-1).speed, 25);
  again.abort();
});

test("progress can be iterated, and the iteration ends with the upload", async () => {
  const world = new World({ parallel: 1 });
  const run = world.upload(makeFile(450));
  const seen = [];
  for await (const { loaded, state } of run.reports()) seen.push([loaded, state]);
  assert.deepEqual(seen.at(-1), [450, "finishing"]);
  assert.equal((await run.done).receipt, "the-receipt");
});

test("a slow loop gets the latest report, not every one", async () => {
  const world = new World({ parallel: 1 });
  const run = world.upload(makeFile(5000));
  const iterator = run.reports()[Symbol.asyncIterator]();
  await iterator.next();
  await world.end(run);
  assert.equal((await iterator.next()).value.loaded, 5000);
  assert.equal((await iterator.next()).done, true);
});

test("the loop throws the upload's failure", async () => {
  const world = new World();
  world.storage.reply = () => 413;
  const run = world.upload(makeFile(50));
  await assert.rejects(async () => {
    for await (const { total } of run.reports()) assert.equal(total, 50);
  }, { code: "storage-error" });
});

test("leaving the loop does not stop the upload", async () => {
  const world = new World();
  const run = world.upload(makeFile(450));
  for await (const { total } of run.reports()) {
    assert.equal(total, 450);
    break;
  }
  assert.equal((await world.end(run)).receipt, "the-receipt");
});
