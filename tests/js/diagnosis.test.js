// Why a request has no answer, as shown to the visitor and to the web developer.
import assert from "node:assert/strict";
import { test } from "node:test";

import { advise } from "../../static/engine/developer-advice.js";
import { explain, formatFailure } from "../../static/messages.js";
import { makeFile, problem, World } from "./world.js";

const fails = async (world, options) => {
  const run = world.upload(makeFile(50), options);
  return world.end(run).then(() => assert.fail("it was uploaded"), (failure) => failure);
};

test("a request that the page's policy blocks is not retried", async () => {
  const world = new World();
  world.isBlockedByCsp = true;
  world.storage.reply = () => 0;
  const failure = await fails(world);
  assert.deepEqual([failure.code, failure.cause], ["network", "csp"]);
  assert.equal(world.storage.puts.length, 1);
  assert.deepEqual(world.advice, [["csp", "https://app.example"]]);
  assert.match(explain(failure), /security policy blocks/);
});

test("the policy may block the application too", async () => {
  const world = new World();
  world.isBlockedByCsp = true;
  world.app.intercept = () => new TypeError("Failed to fetch");
  assert.equal((await fails(world)).cause, "csp");
  assert.equal(world.app.calls.length, 1);
});

test("storage that answers, but hides its answer from this page, is a CORS failure", async () => {
  const world = new World();
  world.isReachable = true;
  world.storage.reply = () => 0;
  const failure = await fails(world, { retries: 4 });
  assert.deepEqual([failure.code, failure.cause], ["network", "cors"]);
  assert.deepEqual(world.retries.map((retry) => retry.failure.cause), [undefined, undefined, "cors", "cors"]);
  assert.match(explain(failure), /accept uploads from this page/);
  assert.equal(formatFailure(failure), "network · cors");
});

test("for a minute, proxies that do not know a new origin yet are the likely cause, then CORS settings", async () => {
  const world = new World();
  world.isReachable = true;
  world.storage.reply = () => 0;
  const begin = world.clock.time;
  const seen = [];
  const { advise: note } = world.env;
  world.env.advise = (topic, url) => {
    seen.push([topic, world.clock.time - begin]);
    note(topic, url);
  };
  await fails(world, { retries: 12 });
  const topics = seen.map(([topic]) => topic);
  assert.equal(topics[0], "caches");
  assert.equal(topics.at(-1), "cors");
  assert.ok(seen.every(([topic, time]) => (topic === "cors") === time >= 75_000));
});

test("storage that is not reachable is a network failure", async () => {
  const world = new World();
  world.storage.reply = () => 0;
  const failure = await fails(world, { retries: 4 });
  assert.deepEqual([failure.code, failure.cause], ["network", undefined]);
  assert.deepEqual(world.advice, []);
});

test("connections that break after some bytes are network failures", async () => {
  const world = new World();
  world.isReachable = true;
  world.storage.reply = (put) => {
    put.onprogress(1);
    return 0;
  };
  assert.equal((await fails(world, { retries: 5 })).cause, undefined);
});

test("an upload continues when storage has restarted", async () => {
  const world = new World();
  world.isReachable = true;
  world.storage.reply = (_, nth) => (nth < 6 ? 0 : 201);
  assert.equal((await world.end(world.upload(makeFile(50)))).receipt, "the-receipt");
});

for (const [status, code] of [[401, "not-authenticated"], [403, "cross-site"]]) {
  test(`the console tells the developer about ${code}`, async () => {
    const world = new World();
    world.app.intercept = () => problem(status, code);
    assert.equal((await fails(world)).code, code);
    assert.deepEqual(world.advice, [[code, "https://app.example"]]);
  });
}

test("an application that hides its answers from another origin fails soon, and the console names the origin", async () => {
  const world = new World();
  Object.assign(world, { isCrossOrigin: true, isReachable: true });
  world.app.intercept = () => new TypeError("Failed to fetch");
  assert.equal((await fails(world)).code, "cross-site");
  assert.equal(world.app.calls.length, 2);
  assert.deepEqual(world.advice, [["cross-site", "https://app.example"]]);
});

for (const [what, state] of [
  ["of the page's own origin", { isReachable: true }],
  ["that is not reachable", { isCrossOrigin: true }],
]) {
  test(`an application ${what} that does not answer is retried`, async () => {
    const world = Object.assign(new World(), state);
    world.app.intercept = (_, nth) => (nth < 5 ? new TypeError("Failed to fetch") : undefined);
    assert.equal((await world.end(world.upload(makeFile(50)))).receipt, "the-receipt");
  });
}

test("advice is logged once, contains only an origin, and exists for some failures only", (t) => {
  const error = t.mock.method(console, "error", () => undefined);
  for (const about of ["csp", "cors", "csp", "cors", "caches", "too-large", "network"]) advise(about, "https://s.example/v1/a?temp_url_sig=1");
  const said = error.mock.calls.map((call) => call.arguments.join());
  assert.equal(said.length, 3);
  assert.ok(said.every((text) => text.includes("https://s.example") && !text.includes("temp_url_sig")));
});
