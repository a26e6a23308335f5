import assert from "node:assert/strict";
import { test } from "node:test";

import { makeFile, md5, problem, isFreeOfSecrets, settle, until, World } from "./world.js";

const sentIndexes = (world) => world.storage.puts.map(({ index }) => index);

test("a small file is begun, sent as one segment and completed", async () => {
  const world = new World();
  const file = makeFile(60);
  const result = await world.end(world.upload(file));

  assert.deepEqual(world.app.calls.map(({ operation }) => operation), ["begin", "complete"]);
  const [begin, complete] = world.app.calls;
  assert.deepEqual(begin.body, { filename: "report.pdf", size: 60, type: "application/pdf" });
  const [put] = world.storage.puts;
  const etag = md5(new Uint8Array(await file.arrayBuffer()));
  assert.deepEqual(put.headers, { "Content-Type": "application/octet-stream", ETag: etag });
  assert.match(put.url, /^https:\/\/app\.example\/storage\/segment-0\?/);
  assert.deepEqual(complete.body, { segments: [{ index: 0, etag }] });
  assert.equal(complete.headers["Upload-Ticket"], "secret-ticket");
  assert.deepEqual(result.data, { row: 7 });
  assert.deepEqual(Object.keys(result).sort(), ["data", "download_url", "receipt", "upload"]);
});

test("an empty file is one segment of no bytes", async () => {
  const world = new World();
  await world.end(world.upload(makeFile(0)));
  assert.equal(world.storage.puts[0].body.size, 0);
  assert.equal(world.storage.puts[0].headers.ETag, "d41d8cd98f00b204e9800998ecf8427e");
});

test("an unknown type is sent as an empty string", async () => {
  const world = new World();
  await world.end(world.upload(new File(["x"], "thing")));
  assert.equal(world.app.calls[0].body.type, "");
});

test("segments are sent in parallel, never more than the plan allows", async () => {
  const world = new World({ parallel: 3 });
  await world.end(world.upload(makeFile(4950)));
  assert.equal(world.storage.most, 3);
  assert.deepEqual(sentIndexes(world).sort((one, other) => one - other), Array.from({ length: 50 }, (_, index) => index));
  const declared = world.app.named("complete")[0].body.segments;
  assert.deepEqual(declared.map(({ index }) => index), Array.from({ length: 50 }, (_, index) => index));
});

test("presigned URLs beyond the first are signed in batches, shortly before they are needed", async () => {
  const world = new World();
  await world.end(world.upload(makeFile(5000)));
  const asked = world.app.named("sign").map(({ body }) => body.indexes);
  assert.ok(asked.every((indexes) => indexes.length <= 16));
  assert.deepEqual(asked.flat().sort((one, other) => one - other), Array.from({ length: 34 }, (_, index) => index + 16));
});

test("hashing is a few segments ahead of sending", async () => {
  const world = new World({ parallel: 2 });
  world.storage.reply = () => undefined;
  const run = world.upload(makeFile(5000));
  await until(() => world.storage.open.length === 2);
  await until(() => world.hashed.length >= 7);
  assert.equal(world.hashed.length, 1 + 2 + 4, "the fingerprint, two in flight, and parallel + 2 ahead");
  run.abort();
});

test("progress never decreases without failures, and ends at the total", async () => {
  const world = new World();
  await world.end(world.upload(makeFile(2000)));
  const loaded = world.reports.map((report) => report.loaded);
  assert.deepEqual(loaded, [...loaded].sort((one, other) => one - other));
  assert.ok(world.reports.every((report) => report.total === 2000 && report.loaded <= 2000));
  assert.deepEqual(world.reports.at(-1), { loaded: 2000, total: 2000, state: "finishing", speed: 0, timeLeft: undefined });
});

test("progress is reported no more often than a page is painted", async () => {
  const world = new World();
  world.storage.reply = () => undefined;
  world.upload(makeFile(90));
  await until(() => world.storage.open.length === 1);
  const before = world.reports.length;
  for (let loaded = 1; loaded <= 90; loaded += 1) world.storage.open[0].onprogress(loaded);
  await settle();
  assert.ok(world.reports.length - before <= 1);
  world.clock.advance(100);
  world.storage.open[0].onprogress(90);
  await until(() => world.reports.at(-1).loaded === 90);
});

test("an exception in the page's callback does not stop the upload", async (t) => {
  const world = new World();
  const thrown = [];
  const report = (call) => void Promise.resolve().then(call).catch(({ message }) => thrown.push(message));
  t.mock.method(globalThis, "queueMicrotask", report);
  const run = world.upload(makeFile(10), { onprogress: ({ state }) => { if (state === "finishing") throw new Error("page"); } });
  assert.equal((await world.end(run)).receipt, "the-receipt");
  assert.deepEqual(thrown, ["page"]);
});

for (const [what, answers, code] of [
  ["a bad gateway", [502], "storage-error"],
  ["a lost connection", [0], "network"],
  ["a full server", [507], "storage-error"],
  ["a request time-out", [408], "storage-error"],
  ["too many requests", [429], "storage-error"],
  ["a conflict of clocks", [409], "storage-error"],
]) {
  test(`after ${what} the segment is sent again`, async () => {
    const world = new World();
    world.storage.reply = (_, nth) => answers[nth - 1] ?? 201;
    await world.end(world.upload(makeFile(250)));
    assert.deepEqual(sentIndexes(world).sort(), [0, 0, 1, 2]);
    assert.deepEqual(world.retries.map(({ failure, attempt }) => [failure.code, attempt]), [[code, 1]]);
  });
}

for (const status of [422, 400]) {
  test(`a segment that was damaged in transit (${status}) is hashed and sent again`, async () => {
    const world = new World();
    world.storage.reply = (_, nth) => (nth === 1 ? status : 201);
    await world.end(world.upload(makeFile(50)));
    assert.equal(world.storage.puts.length, 2);
    assert.equal(world.hashed.filter((size) => size === 50).length, 2, "the first hash is not reused");
  });
}

for (const [how, status] of [["openly", 401], ["openly by S3", 403], ["without CORS, like a lost connection", 0]]) {
  test(`a presigned URL that is refused ${how} is replaced by a new one`, async () => {
    const world = new World();
    world.storage.reply = (_, nth) => (nth === 1 ? status : 201);
    await world.end(world.upload(makeFile(50)));
    const [first, second] = world.storage.puts;
    assert.notEqual(first.url, second.url);
    assert.equal(world.app.named("sign").length, 1);
  });
}

test("after a server error the presigned URL is used again", async () => {
  const world = new World();
  world.storage.reply = (_, nth) => (nth === 1 ? 503 : 201);
  await world.end(world.upload(makeFile(50)));
  assert.equal(world.app.named("sign").length, 0);
});

test("a permanent refusal of storage is not retried", async () => {
  const world = new World();
  world.storage.reply = () => 413;
  const run = world.upload(makeFile(50));
  await assert.rejects(world.end(run), { name: "DirectUploadFailure", code: "storage-error", status: 413 });
  assert.equal(world.storage.puts.length, 1);
});

test("the upload fails after too many attempts without progress", async () => {
  const world = new World();
  world.storage.reply = () => 503;
  const run = world.upload(makeFile(50), { retries: 3 });
  await assert.rejects(world.end(run), { code: "storage-error", status: 503 });
  assert.equal(world.storage.puts.length, 4);
});

test("the count of attempts starts again when an attempt gets further", async () => {
  const world = new World();
  world.storage.reply = (put, nth) => {
    put.onprogress(nth * 5);
    return nth < 9 ? 0 : 201;
  };
  const run = world.upload(makeFile(50), { retries: 1 });
  await world.end(run);
  assert.equal(world.storage.puts.length, 9);
});

test("a request without progress is aborted and retried with a longer timeout", async () => {
  const world = new World();
  world.storage.reply = (_, nth) => (nth <= 2 ? undefined : 201);
  const run = world.upload(makeFile(50), { stall: 1000 });
  await until(() => world.storage.open.length === 1);
  world.clock.advance(900);
  world.storage.puts[0].onprogress(10);
  await settle();
  world.clock.advance(900);
  await settle();
  assert.equal(world.storage.open.length, 1, "it made progress");
  world.clock.advance(100);
  await until(() => world.retries.length === 1);
  assert.equal(world.retries[0].failure.code, "stalled");
  await world.end(run);
  assert.equal(world.storage.puts.length, 3);
});

test("where progress is hidden, the timeout that a segment needed is used for all further ones", async () => {
  const world = new World({ parallel: 1 });
  world.storage.reply = () => undefined;
  const run = world.upload(makeFile(300), { stall: 1000 });
  const since = new Map();
  for (let turn = 0; turn < 100 && world.storage.objects.size < 3; turn += 1) {
    await settle();
    for (const put of world.storage.open) {
      if (!since.has(put)) since.set(put, world.clock.time);
      else if (world.clock.time - since.get(put) >= 3000) put.answer(201);
    }
    await settle();
    world.clock.advance(500);
  }
  await world.end(run);
  assert.deepEqual(sentIndexes(world), [0, 0, 0, 1, 2]);
});

test("a stall that was real does not lengthen the timeout of other segments", async () => {
  const world = new World({ parallel: 1 });
  world.storage.reply = (_, nth) => (nth === 1 ? undefined : 201);
  await world.end(world.upload(makeFile(100), { stall: 1000 }));
  assert.equal(world.env.connections.longestGap < 500, true);
});

test("after failures fewer segments are sent at once, after successes more again", async () => {
  const world = new World({ parallel: 4 });
  let failures = 4;
  world.storage.reply = () => (failures-- > 0 ? 503 : undefined);
  const run = world.upload(makeFile(5000));
  await until(() => world.retries.length === 4);
  world.clock.advance(1000);
  await until(() => world.storage.open.length === 1);
  await settle();
  assert.equal(world.storage.open.length, 1);
  for (const wide of [2, 3, 4]) {
    world.storage.open[0].answer(201);
    await until(() => world.storage.open.length === wide);
  }
  run.abort();
});

test("segments that complete reports missing are sent again", async () => {
  const world = new World();
  world.app.intercept = ({ operation }) => {
    if (operation !== "complete" || world.app.named("complete").length > 1) return undefined;
    return problem(409, "segments-missing", { indexes: [1] });
  };
  await world.end(world.upload(makeFile(250)));
  assert.deepEqual(sentIndexes(world).sort(), [0, 1, 1, 2]);
  assert.equal(world.reports.at(-1).loaded, 250);
  assert.deepEqual(world.app.named("complete")[1].body.segments.map(({ index }) => index), [0, 1, 2]);
});

test("when complete keeps refusing, the upload fails with its code", async () => {
  const world = new World();
  world.app.intercept = ({ operation }) => (operation === "complete" ? problem(409, "segments-differ", { indexes: [0] }) : undefined);
  await assert.rejects(world.end(world.upload(makeFile(50))), { code: "segments-differ", status: 409 });
  assert.equal(world.app.named("complete").length, 4);
});

for (const [status, code] of [[401, "not-authenticated"], [403, "refused"], [413, "too-large"], [415, "type-not-accepted"]]) {
  test(`begin is not retried after ${status} ${code}`, async () => {
    const world = new World();
    world.app.intercept = () => problem(status, code);
    await assert.rejects(world.end(world.upload(makeFile(50))), { code, status, detail: `It is ${code}.` });
    assert.equal(world.app.calls.length, 1);
    assert.equal(world.retries.length, 0);
  });
}

for (const [what, answer] of [
  ["a lost connection", new TypeError("Failed to fetch")],
  ["unavailable storage", problem(503, "storage-unavailable", {}, { "Retry-After": "2" })],
  ["a proxy's rate limit", { status: 429, body: "<h1>", headers: { "Retry-After": "2" } }],
  ["a proxy's timeout", { status: 408, body: "<h1>" }],
  ["a proxy's HTML page", { status: 502, body: "<h1>" }],
]) {
  for (const operation of ["begin", "sign", "complete"]) {
    test(`${operation} is retried after ${what}`, async () => {
      const world = new World();
      let failed = false;
      world.app.intercept = (call) => (call.operation === operation && !failed ? ((failed = true), answer) : undefined);
      await world.end(world.upload(makeFile(1800)));
      assert.ok(failed);
      assert.equal(world.retries.length >= 1, true);
    });
  }
}

test("an application that raises an exception is retried only a few times", async () => {
  const world = new World();
  world.app.intercept = ({ operation }) => (operation === "complete" ? problem(500, "application-error") : undefined);
  await assert.rejects(world.end(world.upload(makeFile(50))), { code: "application-error" });
  assert.equal(world.app.named("complete").length, 4);
});

test("a redirect to a login page is not-authenticated", async () => {
  const world = new World();
  world.env.fetch = async (_, { redirect }) => {
    assert.equal(redirect, "manual");
    return { type: "opaqueredirect", ok: false, status: 0, headers: new Headers() };
  };
  await assert.rejects(world.end(world.upload(makeFile(50))), { code: "not-authenticated" });
});

test("a login page is not-authenticated", async () => {
  const world = new World();
  let asked = 0;
  world.env.fetch = async () => {
    asked += 1;
    return new Response("<h1>Log in</h1>", { headers: { "Content-Type": "text/html; charset=utf-8" } });
  };
  await assert.rejects(world.end(world.upload(makeFile(50))), { code: "not-authenticated" });
  assert.equal(asked, 1);
});

test("begins run one at a time", async () => {
  const world = new World();
  const gates = [];
  world.app.intercept = ({ operation }) => (operation === "begin" ? new Promise((go) => gates.push(() => go(undefined))) : undefined);
  const runs = ["a", "b"].map((name) => world.upload(makeFile(50, name)));
  await until(() => gates.length === 1);
  await settle();
  assert.equal(gates.length, 1);
  gates[0]();
  await until(() => gates.length === 2);
  gates[1]();
  await Promise.all(runs.map((run) => run.done));
});

test("two files share the connections of one, fairly", async () => {
  const world = new World({ parallel: 4 });
  world.storage.reply = () => undefined;
  const runs = [];
  for (const name of ["a", "b"]) {
    runs.push(world.upload(makeFile(5000, name)));
    await until(() => world.app.begun === runs.length);
    await until(() => world.storage.open.length === 4);
  }
  assert.equal(world.storage.open.length, 4);
  for (let answered = 0; answered < 4; answered += 1) {
    const [oldest] = world.storage.open;
    oldest.answer(201);
    await until(() => oldest.ended && world.storage.open.length === 4);
  }
  runs[0].abort();
  await until(() => world.storage.open.length === 4);
  assert.equal(world.storage.most, 4);
  runs[1].abort();
});

for (const way of ["abort()", "signal"]) {
  test(`${way} aborts the requests in flight and the upload in the application`, async () => {
    const world = new World();
    world.storage.reply = () => undefined;
    const aborting = new AbortController();
    const run = world.upload(makeFile(500), { signal: aborting.signal });
    await until(() => world.storage.open.length === 4);
    if (way === "signal") aborting.abort();
    else run.abort();
    await assert.rejects(run.done, { name: "DirectUploadFailure", code: "aborted" });
    await until(() => world.app.named("abort").length === 1);
    assert.equal(world.app.named("abort")[0].path, "uploads/upload-1");
    assert.equal(world.storage.open.length, 0);
    await until(() => world.records.saved.size === 0 && world.claimed.size === 0);
  });
}

test("a signal that is already aborted begins nothing", async () => {
  const world = new World();
  await assert.rejects(world.upload(makeFile(5), { signal: AbortSignal.abort() }).done, { code: "aborted" });
  assert.equal(world.app.calls.length, 0);
});

test("a finished upload cannot be aborted", async () => {
  const world = new World();
  const run = world.upload(makeFile(5));
  await world.end(run);
  run.abort();
  await settle();
  assert.equal(world.app.named("abort").length, 0);
});

test("a pause aborts the requests in flight; afterwards only their segments are sent again", async () => {
  const world = new World({ parallel: 2 });
  world.storage.reply = (_, nth) => (nth === 1 ? 201 : undefined);
  const run = world.upload(makeFile(400));
  await until(() => world.storage.objects.size === 1 && world.storage.open.length === 2);
  run.pause();
  await until(() => world.storage.open.length === 0);
  assert.equal(world.reports.at(-1).state, "paused");
  world.clock.advance(100_000);
  await settle();
  assert.equal(world.storage.puts.length, 3);
  world.storage.reply = () => 201;
  run.resume();
  await world.end(run);
  assert.deepEqual(sentIndexes(world).sort(), [0, 1, 1, 2, 2, 3]);
  assert.equal(world.retries.length, 0);
});

test("a paused upload can be aborted", async () => {
  const world = new World();
  const run = world.upload(makeFile(400));
  run.pause();
  await until(() => world.app.begun === 1);
  run.abort();
  await assert.rejects(run.done, { code: "aborted" });
});

for (const [what, change] of [
  ["has another size", { size: 999 }],
  ["was written again", { lastModified: 5 }],
]) {
  test(`a file that ${what} during the upload is noticed`, async () => {
    const world = new World({ parallel: 1 });
    const file = makeFile(300);
    world.storage.reply = (_, nth) => {
      if (nth === 2) for (const [name, value] of Object.entries(change)) Object.defineProperty(file, name, { value });
      return 201;
    };
    await assert.rejects(world.end(world.upload(file)), { code: "file-changed" });
    assert.equal(world.app.named("complete").length, 0);
  });
}

test("a file that cannot be read is not reported as a network failure", async () => {
  const world = new World();
  world.storage.reply = () => {
    world.isReadable = false;
    return 0;
  };
  await assert.rejects(world.end(world.upload(makeFile(50))), { code: "file-changed" });
  assert.equal(world.storage.puts.length, 1);
});

test("a request that stalls because its file has changed is not repeated", async () => {
  const world = new World();
  world.storage.reply = () => {
    world.isReadable = false;
    return new Promise(() => undefined);
  };
  await assert.rejects(world.end(world.upload(makeFile(50))), { code: "file-changed" });
  assert.equal(world.storage.puts.length, 1);
});

test("a file whose ends changed without a new time is noticed before complete", async () => {
  const world = new World();
  const file = makeFile(50);
  world.storage.reply = () => {
    const { slice } = makeFile(50);
    file.slice = (...range) => slice.apply(new Blob(["x".repeat(50)]), range);
    return 201;
  };
  await assert.rejects(world.end(world.upload(file)), { code: "file-changed" });
});

test("no failure contains a ticket or a presigned URL", async () => {
  const ways = [
    (world) => { world.storage.reply = () => 503; },
    (world) => { world.storage.reply = () => 0; },
    (world) => { world.storage.reply = () => 403; },
    (world) => { world.storage.reply = () => undefined; },
    (world) => { world.app.intercept = ({ operation }) => (operation === "complete" ? new TypeError("fetch") : undefined); },
    (world) => { world.app.intercept = ({ operation }) => (operation === "complete" ? problem(403, "not-yours") : undefined); },
  ];
  for (const spoil of ways) {
    const world = new World();
    spoil(world);
    const failure = await world.end(world.upload(makeFile(50), { retries: 1, stall: 1000 })).catch((error) => error);
    assert.equal(failure.name, "DirectUploadFailure");
    assert.ok(isFreeOfSecrets(failure), failure.code);
    assert.ok(world.retries.every((report) => isFreeOfSecrets(report.failure)));
  }
});

for (const [what, clock] of [
  ["right", { ahead: 0 }],
  ["a year slow", { ahead: 365 * 86_400_000 }],
  ["a year fast", { ahead: -365 * 86_400_000 }],
  ["of no use, since another origin hides its Date", undefined],
]) {
  test(`presigned URLs are renewed before they expire when the browser's clock is ${what}`, async () => {
    const world = new World({ parallel: 1, clock });
    world.clock.time = clock ? 2_000_000_000_000 : 1_000_000;
    world.storage.reply = () => {
      world.clock.time += 300_000;
      return 201;
    };
    await world.end(world.upload(makeFile(600), { stall: 1e9 }));
    assert.deepEqual(world.app.named("sign").map(({ body }) => body.indexes), [[3, 4, 5]]);
  });
}

test("an upload that is aborted during begin is aborted in the application", async () => {
  const world = new World();
  const claim = world.env.claim;
  let run;
  world.env.claim = async (id) => {
    run.abort();
    await settle();
    return claim(id);
  };
  run = world.upload(makeFile(50));
  await assert.rejects(run.done, { code: "aborted" });
  await until(() => world.app.named("abort").length === 1 && world.claimed.size === 0);
  assert.equal(world.records.saved.size, 0);
  assert.equal(world.storage.puts.length, 0);
});

test("while the application seals the upload, complete is repeated, a second apart", async () => {
  const world = new World();
  const asked = [];
  world.app.intercept = ({ operation, body }) => {
    if (operation !== "complete") return undefined;
    asked.push([world.clock.time, body.segments.length]);
    return asked.length < 4 ? { status: 202, body: { id: "upload-1", state: "sealing" }, headers: { "Retry-After": "1" } } : undefined;
  };
  const run = world.upload(makeFile(250));
  const { receipt } = await world.end(run);
  assert.equal(receipt, "the-receipt");
  assert.equal(asked.length, 4);
  assert.ok(asked.every(([, count]) => count === 3));
  for (let at = 1; at < 4; at += 1) assert.ok(asked[at][0] - asked[at - 1][0] >= 1000);
  assert.equal(world.retries.length, 0);
  assert.equal(world.reports.at(-1).state, "finishing");
});

test("an upload that is being sealed can be aborted", async () => {
  const world = new World();
  world.app.intercept = ({ operation }) => (operation === "complete" ? { status: 202, body: { id: "upload-1", state: "sealing" } } : undefined);
  const run = world.upload(makeFile(50));
  await until(() => world.app.named("complete").length === 1);
  run.abort();
  await assert.rejects(run.done, { code: "aborted" });
  await until(() => world.app.named("abort").length === 1);
});
