import assert from "node:assert/strict";
import { test } from "node:test";

import { startAll } from "../../static/engine/upload-all.js";
import { makeFile, MOUNT, problem, settle, until, World } from "./world.js";

const files = (...sizes) => sizes.map((size, at) => makeFile(size, `${at}.pdf`));

function start(world, all, options = {}) {
  const run = startAll(MOUNT, all, { onprogress: (report) => world.reports.push(report), ...options }, world.env);
  run.done.catch(() => undefined);
  return run;
}

test("every file is uploaded, and the results are in the files' order", async () => {
  const world = new World();
  const finished = [];
  const results = await start(world, files(300, 100, 200), { onfile: ({ name }) => finished.push(name) }).done;
  assert.deepEqual(results.map(({ receipt }) => receipt), Array(3).fill("the-receipt"));
  assert.deepEqual(finished.toSorted(), ["0.pdf", "1.pdf", "2.pdf"]);
  assert.deepEqual(world.app.named("begin").map(({ body }) => body.size).toSorted((one, other) => one - other), [100, 200, 300]);
});

test("no files give no results", async () => {
  assert.deepEqual(await start(new World(), []).done, []);
});

test("no more files than `concurrency` are uploaded at once", async () => {
  const world = new World({ parallel: 100 });
  world.storage.reply = () => undefined;
  start(world, files(10, 10, 10, 10, 10), { concurrency: 2 });
  await until(() => world.storage.open.length === 2);
  await settle();
  assert.equal(world.app.begun, 2);
  world.storage.open[0].answer(201);
  await until(() => world.storage.open.length === 1);
  await settle();
  world.clock.advance(50); // it waits so long for others that are completed
  await until(() => world.app.begun === 3);
});

test("progress reports cover all files together", async () => {
  const world = new World();
  await start(world, files(100, 200, 300), { concurrency: 1 }).done;
  const loaded = world.reports.map((report) => report.loaded);
  assert.deepEqual(loaded, loaded.toSorted((one, other) => one - other));
  assert.equal(loaded.at(-1), 600);
  assert.ok(world.reports.every(({ total }) => total === 600));
});

test("progress can be iterated", async () => {
  const world = new World();
  let last;
  for await (const report of start(world, files(100, 200)).reports()) last = report;
  assert.equal(last.loaded, 300);
});

test("one failure does not stop the others, and is thrown at the end", async () => {
  const world = new World();
  world.app.intercept = ({ operation, body }) => (operation === "begin" && body.filename === "1.pdf" ? problem(413, "too-large") : undefined);
  const finished = [];
  const run = start(world, files(10, 10, 10), { concurrency: 1, onfile: ({ name }) => finished.push(name) });
  await assert.rejects(run.done, { code: "too-large" });
  assert.deepEqual(finished, ["0.pdf", "2.pdf"]);
});

test("a pause holds all uploads, also those that have not begun", async () => {
  const world = new World();
  const run = start(world, files(10, 10, 10), { concurrency: 2 });
  run.pause();
  await settle();
  assert.equal(world.storage.puts.length, 0);
  run.resume();
  assert.equal((await run.done).length, 3);
});

test("an abort ends all uploads, and no other begins", async () => {
  const world = new World();
  world.storage.reply = () => undefined;
  const run = start(world, files(10, 10, 10, 10), { concurrency: 2 });
  await until(() => world.storage.open.length === 2);
  run.abort();
  await assert.rejects(run.done, { code: "aborted" });
  assert.equal(world.app.begun, 2);
  await until(() => world.app.named("abort").length === 2);
});

test("the page's signal aborts all uploads", async () => {
  const world = new World();
  const aborting = new AbortController();
  aborting.abort();
  await assert.rejects(start(world, files(10, 10), { signal: aborting.signal }).done, { code: "aborted" });
  assert.equal(world.app.calls.length, 0);
});
