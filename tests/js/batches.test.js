import assert from "node:assert/strict";
import { test } from "node:test";

import { startAll } from "../../static/engine/upload-all.js";
import { start } from "../../static/engine/upload.js";
import { makeFile, MOUNT, problem, settle, until, World } from "./world.js";

const files = (count, size = 10) => Array.from({ length: count }, (_, at) => makeFile(size, `${at}.pdf`));

function uploadAll(world, all, options = {}) {
  const run = startAll(MOUNT, all, { onprogress: (report) => world.reports.push(report), ...options }, world.env);
  run.done.catch(() => undefined);
  return run;
}

const sizes = (world, operation) => world.app.batches.filter((batch) => batch.operation === operation).map(({ items }) => items.length);

test("files that are chosen together begin together, a hundred in one request", async () => {
  const world = new World();
  const results = await world.end(uploadAll(world, files(230)));
  assert.equal(results.length, 230);
  assert.deepEqual(sizes(world, "begin"), [100, 100, 30]);
  assert.equal(world.app.named("begin").length, 230);
});

test("files that are chosen one after the other in a moment begin together too", async () => {
  const world = new World();
  const runs = [];
  for (const file of files(3)) {
    runs.push(start(MOUNT, file, { together: true }, world.env));
    await Promise.resolve();
  }
  await Promise.all(runs.map((run) => world.end(run)));
  assert.deepEqual(sizes(world, "begin"), [3]);
});

test("files that are chosen while a begin request is under way begin together in the next one", async () => {
  const world = new World();
  let go;
  world.app.intercept = ({ operation }) => (operation === "begin" && !go ? new Promise((resolve) => { go = () => resolve(undefined); }) : undefined);
  const upload = (file) => start(MOUNT, file, { together: true }, world.env);
  const [first, ...others] = files(6);
  const runs = [upload(first)];
  await until(() => go);
  for (const file of others) {
    runs.push(upload(file));
    await settle();
  }
  assert.deepEqual(sizes(world, "begin"), []);
  go();
  await Promise.all(runs.map((run) => world.end(run)));
  assert.deepEqual(sizes(world, "begin"), [5]);
});

test("a file alone begins and completes with the calls for one", async () => {
  const world = new World();
  await uploadAll(world, files(1)).done;
  assert.deepEqual(world.app.batches, []);
  assert.deepEqual(world.app.calls.map(({ path }) => path), ["uploads", "uploads/upload-1/complete"]);
});

test("uploads that do not belong together share nothing", async () => {
  const world = new World();
  await Promise.all(files(3).map((file) => world.end(world.upload(file))));
  assert.deepEqual(world.app.batches, []);
});

test("nothing is read from the file before it begins", async () => {
  const world = new World();
  let hold;
  world.env.hash = () => new Promise((resolve) => { hold = resolve; });
  uploadAll(world, files(1));
  await until(() => world.app.named("begin").length === 1);
  assert.ok(hold);
});

test("with records of earlier uploads the file is read first, to resume it", async () => {
  const world = new World();
  await world.records.save({ id: "other", owner: "x", mount: "y", fingerprint: "z" });
  let reads = 0;
  const { hash } = world.env;
  world.env.hash = (...args) => { reads += 1; return hash(...args); };
  let readsAtBegin;
  world.app.intercept = ({ operation }) => { if (operation === "begin") readsAtBegin ??= reads; };
  await uploadAll(world, files(1)).done;
  assert.ok(readsAtBegin > 0);
});

test("only the first begin of a page is alone", async () => {
  const world = new World();
  const gates = [];
  world.app.intercept = ({ operation, path }) => (operation === "begin" && path === "uploads" ? new Promise((go) => gates.push(() => go(undefined))) : undefined);
  const runs = ["a", "b", "c"].map((name) => world.upload(makeFile(50, name)));
  await until(() => gates.length === 1);
  await settle();
  assert.equal(gates.length, 1);
  gates[0]();
  await until(() => gates.length === 2);
  gates[1]();
  await until(() => gates.length === 3);
  gates[2]();
  await Promise.all(runs.map((run) => run.done));
  gates.length = 0;
  const more = ["d", "e"].map((name) => world.upload(makeFile(50, name)));
  await until(() => gates.length === 2);
  gates.forEach((go) => go());
  await Promise.all(more.map((run) => run.done));
});

test("what finishes within a moment completes together, and the last one waits for nothing", async () => {
  const world = new World();
  world.storage.reply = () => undefined;
  const run = uploadAll(world, files(4));
  await until(() => world.storage.open.length === 4);
  const [first, second, third, fourth] = world.storage.open;
  first.answer(201);
  second.answer(201);
  await until(() => world.storage.open.length === 2);
  await settle();
  assert.equal(world.app.named("complete").length, 0);
  world.clock.advance(50);
  await until(() => world.app.named("complete").length === 2);
  third.answer(201);
  await until(() => world.storage.open.length === 1);
  await settle();
  fourth.answer(201);
  const results = await run.done; // without the clock
  assert.equal(results.length, 4);
  assert.deepEqual(sizes(world, "complete"), [2, 2]);
});

test("the last one does not wait for a request that is under way", async () => {
  const world = new World();
  const gates = [];
  world.storage.reply = () => undefined;
  world.app.intercept = ({ operation, path }) => (operation === "batch" && path === "batch/complete" ? new Promise((go) => gates.push(() => go(undefined))) : undefined);
  const run = uploadAll(world, files(4));
  await until(() => world.storage.open.length === 4);
  const [first, second, third, fourth] = world.storage.open;
  first.answer(201);
  second.answer(201);
  await until(() => world.storage.open.length === 2);
  await settle();
  world.clock.advance(50);
  await until(() => gates.length === 1);
  third.answer(201);
  await until(() => world.storage.open.length === 1);
  await settle();
  world.clock.advance(1000);
  await settle();
  assert.equal(gates.length, 1, "one request at a time while something is being sent");
  fourth.answer(201);
  await until(() => gates.length === 2);
  gates.forEach((go) => go());
  assert.equal((await run.done).length, 4);
});

test("one upload's failure to begin is its own", async () => {
  const world = new World();
  world.app.intercept = ({ operation, body }) => (operation === "begin" && body.filename === "1.pdf" ? problem(413, "too-large") : undefined);
  const finished = [];
  const run = uploadAll(world, files(3), { onfile: ({ name }) => finished.push(name) });
  await assert.rejects(world.end(run), { code: "too-large", status: 413, detail: "It is too-large." });
  assert.deepEqual(finished.toSorted(), ["0.pdf", "2.pdf"]);
  assert.equal(world.app.named("begin").length, 3);
});

test("one upload's failure to complete is its own, and segments are sent again", async () => {
  const world = new World();
  const refused = new Set();
  world.app.intercept = ({ operation, path }) => {
    if (operation === "sign") world.app.isComplete = false; // that is of all uploads here
    if (operation !== "complete" || refused.has(path)) return undefined;
    refused.add(path);
    if (path.includes("upload-1/")) return problem(409, "segments-missing", { indexes: [0] });
    if (path.includes("upload-2/")) return problem(422, "refused");
    return undefined;
  };
  const finished = [];
  const run = uploadAll(world, files(3), { onfile: ({ name }) => finished.push(name) });
  await assert.rejects(world.end(run), { code: "refused" });
  assert.deepEqual(finished.toSorted(), ["0.pdf", "2.pdf"]);
  assert.equal(world.storage.puts.length, 4);
});

test("an upload whose storage is unavailable is tried again, after the wait that the application asks for", async () => {
  const world = new World();
  let isFirst = true;
  const retries = [];
  world.app.intercept = ({ operation, path }) => {
    if (operation !== "complete" || !path.includes("upload-2/") || !isFirst) return undefined;
    isFirst = false;
    return problem(503, "storage-unavailable");
  };
  const results = await world.end(uploadAll(world, files(3), { onretry: (report) => retries.push(report) }));
  assert.equal(results.length, 3);
  assert.equal(retries.length, 1);
  assert.equal(retries[0].failure.code, "storage-unavailable");
});

test("a request for several uploads that fails is repeated for all of them", async () => {
  const world = new World();
  const failed = new Set();
  world.app.intercept = ({ operation, path }) => {
    if (operation !== "batch" || failed.has(path)) return undefined;
    failed.add(path);
    return path === "batch/begin" ? new TypeError("network") : problem(503, "storage-unavailable", {}, { "Retry-After": "3" });
  };
  const results = await world.end(uploadAll(world, files(5)));
  assert.equal(results.length, 5);
  assert.equal(failed.size, 2);
});

test("uploads that are being sealed are asked for again, the others are done", async () => {
  const world = new World();
  const times = [];
  world.app.intercept = ({ operation, path }) => {
    if (operation !== "complete" || !path.includes("upload-2/")) return undefined;
    times.push(world.clock.time);
    return times.length < 3 ? { status: 202, body: { id: "upload-2", state: "sealing" } } : undefined;
  };
  const finished = [];
  const results = await world.end(uploadAll(world, files(3), { onfile: ({ name }) => finished.push(name) }));
  assert.equal(results.length, 3);
  assert.equal(finished.at(-1), "1.pdf");
  assert.ok(times[1] - times[0] >= 1000 && times[2] - times[1] >= 1000);
});

test("an upload that is aborted before its batch is sent does not begin, the others do", async () => {
  const world = new World();
  const aborting = new AbortController();
  const runs = files(3).map((file, at) => start(MOUNT, file, { together: true, signal: at === 1 ? aborting.signal : undefined }, world.env));
  runs.forEach((run) => run.done.catch(() => undefined));
  aborting.abort();
  await assert.rejects(runs[1].done, { code: "aborted" });
  await world.end(runs[0]);
  await world.end(runs[2]);
  assert.deepEqual(world.app.named("begin").map(({ body }) => body.filename), ["0.pdf", "2.pdf"]);
});

test("uploads that are aborted before they are completed do not hold the others", async () => {
  const world = new World();
  world.storage.reply = () => undefined;
  const aborting = new AbortController();
  const all = files(4);
  const runs = all.map((file, at) => start(MOUNT, file, { together: true, signal: at < 2 ? aborting.signal : undefined }, world.env));
  runs.forEach((run) => run.done.catch(() => undefined));
  await until(() => world.storage.open.length === 4);
  const [first, second, third, fourth] = world.storage.open;
  first.answer(201);
  second.answer(201);
  await until(() => world.storage.open.length === 2);
  await settle();
  aborting.abort();
  await settle();
  world.clock.advance(50);
  third.answer(201);
  fourth.answer(201);
  await Promise.all([world.end(runs[2]), world.end(runs[3])]);
  assert.deepEqual(world.app.named("complete").map(({ path }) => path).toSorted(), ["uploads/upload-3/complete", "uploads/upload-4/complete"]);
});

test("an upload that is aborted while its batch begins is aborted in the application", async () => {
  const world = new World();
  let go;
  world.app.intercept = ({ operation, path }) => (operation === "batch" && path === "batch/begin" ? new Promise((resolve) => { go = () => resolve(undefined); }) : undefined);
  const runs = files(2).map((file) => start(MOUNT, file, { together: true }, world.env));
  runs.forEach((run) => run.done.catch(() => undefined));
  await until(() => go);
  runs[0].abort();
  await assert.rejects(runs[0].done, { code: "aborted" });
  go();
  await until(() => world.app.named("abort").length === 1);
  assert.equal(world.app.named("abort")[0].path, "uploads/upload-1");
  await world.end(runs[1]);
});

test("a pause of everything holds a batch, and goes on", async () => {
  const world = new World();
  const run = uploadAll(world, files(10));
  run.pause();
  await settle();
  assert.equal(world.storage.puts.length, 0);
  run.resume();
  assert.equal((await world.end(run)).length, 10);
});

test("a batch declares a limited number of segments", async () => {
  const world = new World({ segmentSize: 1 });
  const results = await world.end(uploadAll(world, files(3, 2000)));
  assert.equal(results.length, 3);
  for (const { items } of world.app.batches.filter(({ operation }) => operation === "complete")) {
    assert.ok(items.reduce((sum, { segments }) => sum + segments.length, 0) <= 5000);
  }
});

test("hundreds of files are one progress", async () => {
  const world = new World();
  const results = await world.end(uploadAll(world, files(300)));
  assert.equal(results.length, 300);
  assert.deepEqual(world.reports.map(({ loaded }) => loaded), world.reports.map(({ loaded }) => loaded).toSorted((one, other) => one - other));
  assert.equal(world.reports.at(-1).loaded, 3000);
});
