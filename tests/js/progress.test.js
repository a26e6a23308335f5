// Speed, time left, and progress by iteration.
import assert from "node:assert/strict";
import { test } from "node:test";

import { formatDuration, formatSpeed } from "../../static/messages.js";
import { Pace } from "../../static/engine/moving-average.js";
import { makeFile, settle, until, World } from "./world.js";

/** So many seconds at a steady speed. */
function travel(pace, from, seconds, speed) {
  let now = from;
  for (let step = 0; step < seconds * 10; step += 1) {
    pace.moved(speed / 10);
    pace.speed((now += 100));
  }
  return now;
}

test("a steady speed is told as it is", () => {
  const pace = new Pace(0);
  const now = travel(pace, 0, 3, 1000);
  assert.ok(Math.abs(pace.speed(now) - 1000) < 1);
});

test("nothing is told before enough is known", () => {
  const pace = new Pace(0);
  pace.moved(5000);
  assert.equal(pace.speed(900), 0);
  assert.ok(pace.speed(1200) > 0);
});

test("a short hiccup moves the speed little, a lasting change all the way", () => {
  const pace = new Pace(0);
  let now = travel(pace, 0, 20, 1000);
  now = travel(pace, now, 0.5, 0);
  assert.ok(pace.speed(now) > 850 && pace.speed(now) < 1000);
  now = travel(pace, now, 30, 200);
  assert.ok(Math.abs(pace.speed(now) - 200) < 10);
});

test("the time of a pause does not count", () => {
  const pace = new Pace(0);
  const now = travel(pace, 0, 5, 1000);
  pace.rested(now + 3_600_000);
  assert.ok(Math.abs(pace.speed(now + 3_600_000) - 1000) < 1);
});

test("a clock that is set back does not make the speed absurd", () => {
  const pace = new Pace(0);
  const now = travel(pace, 0, 5, 1000);
  pace.moved(100);
  const speed = pace.speed(now - 60_000);
  assert.ok(speed >= 1000 && speed < 1100, String(speed));
});

for (const [seconds, text] of [
  [0.2, "1 second"], [7.4, "8 seconds"], [11, "15 seconds"], [50, "50 seconds"], [51, "1 minute"], [90, "2 minutes"],
  [3300, "55 minutes"], [3400, "0.9 hours"], [5400, "1.5 hours"], [100_000, "28 hours"],
]) {
  test(`${seconds} s are shown as ${text}`, () => assert.equal(formatDuration(seconds, "en"), text));
}

test("a speed has a unit of the page's language", () => {
  assert.equal(formatSpeed(1_400_000, "en").replace(/\s/, " "), "1.4 MB/s");
  assert.match(formatSpeed(0, "en"), /0\sbyte\/s/);
  assert.match(formatSpeed(2_500_000, "de"), /2,5\sMB\/s/);
});

/** An upload of 2000 bytes whose one segment travels 100 bytes each 100 ms. */
async function travelling(world) {
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

test("a report tells the speed and the time that is left", async () => {
  const world = new World({ segmentSize: 2000 });
  await travelling(world);
  const { speed, timeLeft, loaded } = world.reports.at(-1);
  assert.equal(loaded, 1500);
  assert.ok(Math.abs(speed - 1000) < 1, String(speed));
  assert.ok(Math.abs(timeLeft - 0.5) < 0.01, String(timeLeft));
});

test("while nothing moves no speed is told, and a pause does not slow what comes after it", async () => {
  const world = new World({ segmentSize: 2000 });
  const { run, move } = await travelling(world);
  run.pause();
  await settle();
  assert.deepEqual([world.reports.at(-1).state, world.reports.at(-1).speed], ["paused", 0]);
  world.clock.advance(600_000);
  run.resume();
  await until(() => world.storage.open.length === 1);
  await move(100);
  assert.ok(world.reports.at(-1).speed > 900, String(world.reports.at(-1).speed));
});

test("what was stored by an earlier attempt makes this one no faster", async () => {
  const world = new World({ parallel: 1 });
  world.storage.reply = (_, nth) => (nth <= 3 ? 201 : undefined);
  const run = world.upload(makeFile(500));
  await until(() => world.records.all.get("upload-1")?.etags.length === 3);
  const [remembered] = structuredClone([...world.records.all.values()]);
  run.abort();
  await until(() => world.records.all.size === 0 && world.claimed.size === 0);
  await world.records.save(remembered);
  const again = world.upload(makeFile(500));
  await until(() => world.storage.open.length === 1);
  world.clock.advance(2000);
  world.storage.open[0].onprogress(50);
  await until(() => world.reports.at(-1).loaded === 350);
  assert.equal(world.reports.at(-1).speed, 25);
  again.abort();
});

test("progress can be iterated, and the loop ends with the upload", async () => {
  const world = new World({ parallel: 1 });
  const run = world.upload(makeFile(450));
  const seen = [];
  for await (const { loaded, state } of run.reports()) seen.push([loaded, state]);
  assert.deepEqual(seen.at(-1), [450, "finishing"]);
  assert.equal((await run.done).receipt, "the-receipt");
});

test("a slow loop sees the newest report, not every one", async () => {
  const world = new World({ parallel: 1 });
  const run = world.upload(makeFile(5000));
  const iterator = run.reports()[Symbol.asyncIterator]();
  await iterator.next();
  await world.end(run);
  assert.equal((await iterator.next()).value.loaded, 5000);
  assert.equal((await iterator.next()).done, true);
});

test("the loop throws what the upload failed with", async () => {
  const world = new World();
  world.storage.reply = () => 403;
  const run = world.upload(makeFile(50));
  await assert.rejects(async () => {
    for await (const { total } of run.reports()) assert.equal(total, 50);
  }, { code: "storage-error" });
});

test("a loop that is left does not stop the upload", async () => {
  const world = new World();
  const run = world.upload(makeFile(450));
  for await (const { total } of run.reports()) {
    assert.equal(total, 450);
    break;
  }
  assert.equal((await world.end(run)).receipt, "the-receipt");
});
