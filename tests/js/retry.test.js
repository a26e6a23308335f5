import assert from "node:assert/strict";
import { test } from "node:test";

import { backoff, retryAfter } from "../../static/engine/retry.js";
import { makeFile, problem, settle, until, World } from "./world.js";

const HOURS = 3_600_000;
const later = (world, milliseconds) => new Date(world.clock.time + milliseconds).toUTCString();

test("backoff doubles up to half a minute, with full jitter", () => {
  assert.deepEqual([1, 2, 3, 4].map((failures) => backoff(failures, 1)), [500, 1000, 2000, 4000]);
  assert.equal(backoff(50, 1), 30_000);
  assert.equal(backoff(3, 0.25), 500);
  assert.equal(backoff(3, 0), 0);
});

test("Retry-After has seconds or a date, and is limited", () => {
  const now = Date.parse("Fri, 01 Aug 2025 12:00:00 GMT");
  for (const [header, wait] of [
    ["7", 7000], ["0", 0], [null, 0], [undefined, 0], ["soon", 0], ["99999999", 600_000],
    ["Fri, 01 Aug 2025 12:00:30 GMT", 30_000], ["Fri, 01 Aug 2025 11:00:00 GMT", 0],
  ]) {
    assert.equal(retryAfter(header, now), wait, String(header));
  }
  assert.equal(retryAfter("Fri, 01 Aug 2025 12:00:30 GMT", NaN), 0, "without the server's clock a date is ignored");
  assert.equal(retryAfter("7", NaN), 7000);
});

for (const status of [429, 503]) {
  for (const [how, inForty] of [
    ["in seconds", () => ({ retryAfter: "40" })],
    ["as a date of a clock that is a year ahead", (world) => (
      { retryAfter: later(world, 8760 * HOURS + 40_000), date: later(world, 8760 * HOURS) }
    )],
  ]) {
    test(`Retry-After of storage's ${status} is obeyed when given ${how}`, async () => {
      const world = new World();
      world.storage.reply = (_, nth) => (nth === 1 ? { status, ...inForty(world) } : 201);
      const run = world.upload(makeFile(50));
      await until(() => world.retries.length === 1);
      assert.equal(world.retries[0].delay, 40_000);
      world.clock.advance(39_000);
      await settle();
      assert.equal(world.storage.puts.length, 1);
      world.clock.advance(1_000);
      await run.done;
    });
  }

  test(`Retry-After of the application's or a proxy's ${status} is obeyed`, async () => {
    const world = new World({ clock: { ahead: -8760 * HOURS } });
    world.app.intercept = ({ operation }, nth) => {
      const until = later(world, -8760 * HOURS + 40_000);
      return operation === "begin" && nth === 1 ? { status, body: "<h1>", headers: { "Retry-After": until } } : undefined;
    };
    const run = world.upload(makeFile(50));
    await until(() => world.retries.length === 1);
    assert.ok(Math.abs(world.retries[0].delay - 40_000) <= 1000, "dates have whole seconds");
    assert.equal((await world.end(run)).receipt, "the-receipt");
  });
}

test("a date of a hidden clock is not compared with the browser's clock", async () => {
  const world = new World();
  world.storage.reply = (_, nth) => (nth === 1 ? { status: 503, retryAfter: later(world, 9 * HOURS) } : 201);
  const run = world.upload(makeFile(50));
  await until(() => world.retries.length === 1);
  assert.ok(world.retries[0].delay <= 500);
  await world.end(run);
});

test("while offline, a retry waits for the network, and failures do not count", async () => {
  const world = new World();
  world.storage.reply = () => (world.online ? 201 : 0);
  const run = world.upload(makeFile(60), { retries: 1 });
  world.online = false;
  for (const attempts of [1, 2, 3, 4]) {
    await until(() => world.retries.length === attempts);
    assert.equal(world.retries.at(-1).attempt, 0);
    world.clock.advance(29_000);
    await settle();
    assert.equal(world.storage.puts.length, attempts, "it still tries from time to time");
    world.clock.advance(1_000);
  }
  await until(() => world.retries.length === 5);
  world.comeOnline();
  await run.done; // without any time passing
});

test("calls of the API wait for the network as well", async () => {
  const world = new World();
  world.app.intercept = () => (world.online ? undefined : new TypeError("Failed to fetch"));
  world.online = false;
  const run = world.upload(makeFile(60), { retries: 1 });
  for (const operation of ["begin", "complete"]) {
    await until(() => world.retries.length === 1 && world.app.named(operation).length === 1);
    if (operation === "begin") world.storage.reply = () => { world.online = false; return 201; };
    world.retries = [];
    world.comeOnline();
  }
  await run.done;
});

test("after the computer slept, the upload continues with new presigned URLs", async () => {
  const world = new World({ parallel: 2 });
  world.storage.reply = ({ index }, nth) => (nth <= 3 && index > 0 ? undefined : 201);
  const run = world.upload(makeFile(600));
  await until(() => world.storage.open.length === 2);
  const [asleep] = world.storage.open;
  world.clock.advance(9 * HOURS); // the connections are dead without any event
  await until(() => world.retries.length === 2);
  assert.deepEqual(world.retries.map(({ failure }) => failure.code), ["stalled", "stalled"]);
  await world.end(run);
  assert.deepEqual(sentIndexes(world), [0, 1, 1, 2, 2, 3, 4, 5], "stored segments are not sent again");
  const again = world.storage.puts.findLast(({ index }) => index === asleep.index);
  assert.notEqual(again.url, asleep.url);
});

const sentIndexes = (world) => world.storage.puts.map(({ index }) => index).sort();

for (const [why, answer] of [
  ["was aborted elsewhere", problem(404, "not-found")],
  ["belongs to a user who logged out", problem(403, "not-yours")],
  ["has a ticket that expired", problem(410, "ticket-expired")],
  ["needs a login", problem(401, "not-authenticated")],
]) {
  test(`when storage refuses an upload that ${why}, the failure is not network`, async () => {
    const world = new World();
    world.storage.reply = () => 0;
    world.app.intercept = ({ operation }) => (operation === "sign" ? answer : undefined);
    const run = world.upload(makeFile(50));
    await assert.rejects(world.end(run), { code: answer.body.code, status: answer.status });
    assert.equal(world.storage.puts.length, answer.body.code === "not-yours" ? 2 : 1); // the cookie may be replaced
  });
}
