import assert from "node:assert/strict";
import { test } from "node:test";

import { makeFile, md5, problem, tellsNoSecret, settle, until, World } from "./world.js";

const sent = (world) => world.storage.puts.map(({ index }) => index);

test("a small file is begun, sent as one segment and completed", async () => {
  const world = new World();
  const file = makeFile(60);
  const result = await world.end(world.upload(file));

  assert.deepEqual(world.app.calls.map(({ verb }) => verb), ["begin", "complete"]);
  const [begin, complete] = world.app.calls;
  assert.deepEqual(begin.body, { filename: "report.pdf", size: 60, type: "application/pdf" });
  const [put] = world.storage.puts;
  const etag = md5(new Uint8Array(await file.arrayBuffer()));
  assert.deepEqual(put.headers, { "Content-Type": "application/octet-stream", ETag: etag });
  assert.match(put.url, /^https:\/\/app\.example\/storage\/segment-0\?/);
  assert.deepEqual(complete.body, { segments: [{ index: 0, etag }] });
  assert.equal(complete.headers["Upload-Ticket"], "ticket-that-nobody-may-see");
  assert.deepEqual(result.data, { row: 7 });
  assert.deepEqual(Object.keys(result).sort(), ["data", "download_url", "receipt", "upload"]);
});

test("an empty file is one segment of no bytes", async () => {
  const world = new World();
  await world.end(world.upload(makeFile(0)));
  assert.equal(world.storage.puts[0].body.size, 0);
  assert.equal(world.storage.puts[0].headers.ETag, "d41d8cd98f00b204e9800998ecf8427e");
});

test("an unknown type is told as no type", async () => {
  const world = new World();
  await world.end(world.upload(new File(["x"], "thing")));
  assert.equal(world.app.calls[0].body.type, "");
});

test("many segments travel side by side, never more than the plan allows", async () => {
  const world = new World({ parallel: 3 });
  await world.end(world.upload(makeFile(4950)));
  assert.equal(world.storage.most, 3);
  assert.deepEqual(sent(world).sort((one, other) => one - other), Array.from({ length: 50 }, (_, index) => index));
  const declared = world.app.verbs("complete")[0].body.segments;
  assert.deepEqual(declared.map(({ index }) => index), Array.from({ length: 50 }, (_, index) => index));
});

test("temp URLs beyond the first come in batches, just in time", async () => {
  const world = new World();
  await world.end(world.upload(makeFile(5000)));
  const asked = world.app.verbs("sign").map(({ body }) => body.indexes);
  assert.ok(asked.every((indexes) => indexes.length <= 16));
  assert.deepEqual(asked.flat().sort((one, other) => one - other), Array.from({ length: 34 }, (_, index) => index + 16));
});

test("hashing goes ahead of the transport, but not far", async () => {
  const world = new World({ parallel: 2 });
  world.storage.reply = () => undefined;
  const run = world.upload(makeFile(5000));
  await until(() => world.storage.open.length === 2);
  await until(() => world.hashed.length >= 7);
  assert.equal(world.hashed.length, 1 + 2 + 4, "the fingerprint, two that travel, and parallel + 2 ahead");
  run.abort();
});

test("progress never goes back while nothing fails, and ends at the whole", async () => {
  const world = new World();
  await world.end(world.upload(makeFile(2000)));
  const loaded = world.reports.map((report) => report.loaded);
  assert.deepEqual(loaded, [...loaded].sort((one, other) => one - other));
  assert.ok(world.reports.every((report) => report.total === 2000 && report.loaded <= 2000));
  assert.deepEqual(world.reports.at(-1), { loaded: 2000, total: 2000, state: "finishing", speed: 0, timeLeft: undefined });
});

test("progress is told no more often than a page can be painted", async () => {
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

test("what the page's own callback throws does not harm the upload", async (t) => {
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
    assert.deepEqual(sent(world).sort(), [0, 0, 1, 2]);
    assert.deepEqual(world.retries.map(({ failure, attempt }) => [failure.code, attempt]), [[code, 1]]);
  });
}

test("a segment that was damaged on the way is hashed and sent again", async () => {
  const world = new World();
  world.storage.reply = (_, nth) => (nth === 1 ? 422 : 201);
  await world.end(world.upload(makeFile(50)));
  assert.equal(world.storage.puts.length, 2);
  assert.equal(world.hashed.filter((size) => size === 50).length, 2, "its first hash was not trusted");
});

for (const [how, status] of [["openly", 401], ["without CORS, like a lost connection", 0]]) {
  test(`a temp URL that is refused ${how} is replaced by a new one`, async () => {
    const world = new World();
    world.storage.reply = (_, nth) => (nth === 1 ? status : 201);
    await world.end(world.upload(makeFile(50)));
    const [first, second] = world.storage.puts;
    assert.notEqual(first.url, second.url);
    assert.equal(world.app.verbs("sign").length, 1);
  });
}

test("a server in trouble keeps its temp URL", async () => {
  const world = new World();
  world.storage.reply = (_, nth) => (nth === 1 ? 503 : 201);
  await world.end(world.upload(makeFile(50)));
  assert.equal(world.app.verbs("sign").length, 0);
});

test("storage that will not have it is believed at once", async () => {
  const world = new World();
  world.storage.reply = () => 413;
  const run = world.upload(makeFile(50));
  await assert.rejects(world.end(run), { name: "DirectUploadFailure", code: "storage-error", status: 413 });
  assert.equal(world.storage.puts.length, 1);
});

test("it gives up when nothing has moved for too many attempts", async () => {
  const world = new World();
  world.storage.reply = () => 503;
  const run = world.upload(makeFile(50), { retries: 3 });
  await assert.rejects(world.end(run), { code: "storage-error", status: 503 });
  assert.equal(world.storage.puts.length, 4);
});

test("the count of attempts starts anew as long as each gets further", async () => {
  const world = new World();
  world.storage.reply = (put, nth) => {
    put.onprogress(nth * 5);
    return nth < 9 ? 0 : 201;
  };
  const run = world.upload(makeFile(50), { retries: 1 });
  await world.end(run);
  assert.equal(world.storage.puts.length, 9);
});

test("a connection on which nothing moves is cut and tried again, more patiently", async () => {
  const world = new World();
  world.storage.reply = (_, nth) => (nth <= 2 ? undefined : 201);
  const run = world.upload(makeFile(50), { stall: 1000 });
  await until(() => world.storage.open.length === 1);
  world.clock.advance(900);
  world.storage.puts[0].onprogress(10);
  await settle();
  world.clock.advance(900);
  await settle();
  assert.equal(world.storage.open.length, 1, "it moved meanwhile");
  world.clock.advance(100);
  await until(() => world.retries.length === 1);
  assert.equal(world.retries[0].failure.code, "stalled");
  await world.end(run);
  assert.equal(world.storage.puts.length, 3);
});

test("after failures fewer segments travel at once, after successes more again", async () => {
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

test("segments that completion misses are sent again", async () => {
  const world = new World();
  world.app.intercept = ({ verb }) => {
    if (verb !== "complete" || world.app.verbs("complete").length > 1) return undefined;
    return problem(409, "segments-missing", { indexes: [1] });
  };
  await world.end(world.upload(makeFile(250)));
  assert.deepEqual(sent(world).sort(), [0, 1, 1, 2]);
  assert.equal(world.reports.at(-1).loaded, 250);
  assert.deepEqual(world.app.verbs("complete")[1].body.segments.map(({ index }) => index), [0, 1, 2]);
});

test("completion that never agrees is given up, with its code", async () => {
  const world = new World();
  world.app.intercept = ({ verb }) => (verb === "complete" ? problem(409, "segments-differ", { indexes: [0] }) : undefined);
  await assert.rejects(world.end(world.upload(makeFile(50))), { code: "segments-differ", status: 409 });
  assert.equal(world.app.verbs("complete").length, 4);
});

for (const [status, code] of [[401, "not-authenticated"], [403, "refused"], [413, "too-large"], [415, "type-not-accepted"]]) {
  test(`a begin that is answered ${status} ${code} is final`, async () => {
    const world = new World();
    world.app.intercept = () => problem(status, code);
    await assert.rejects(world.end(world.upload(makeFile(50))), { code, status, detail: `It is ${code}.` });
    assert.equal(world.app.calls.length, 1);
    assert.equal(world.retries.length, 0);
  });
}

for (const [what, answer] of [
  ["a lost connection", new TypeError("Failed to fetch")],
  ["storage that is not available", problem(503, "storage-unavailable", {}, { "Retry-After": "2" })],
  ["a proxy that has too many requests", { status: 429, body: "<h1>", headers: { "Retry-After": "2" } }],
  ["a proxy that gave up waiting", { status: 408, body: "<h1>" }],
  ["a proxy's HTML page", { status: 502, body: "<h1>" }],
]) {
  for (const verb of ["begin", "sign", "complete"]) {
    test(`${verb} is asked again after ${what}`, async () => {
      const world = new World();
      let failed = false;
      world.app.intercept = (call) => (call.verb === verb && !failed ? ((failed = true), answer) : undefined);
      await world.end(world.upload(makeFile(1800)));
      assert.ok(failed);
      assert.equal(world.retries.length >= 1, true);
    });
  }
}

test("an application that fails by itself is not asked for ever", async () => {
  const world = new World();
  world.app.intercept = ({ verb }) => (verb === "complete" ? problem(500, "application-error") : undefined);
  await assert.rejects(world.end(world.upload(makeFile(50))), { code: "application-error" });
  assert.equal(world.app.verbs("complete").length, 4);
});

test("a page for logging in, to which a proxy sends us, is no answer", async () => {
  const world = new World();
  world.env.fetch = async (_, { redirect }) => {
    assert.equal(redirect, "manual");
    return { type: "opaqueredirect", ok: false, status: 0, headers: new Headers() };
  };
  await assert.rejects(world.end(world.upload(makeFile(50))), { code: "not-authenticated" });
});

test("nor is such a page itself", async () => {
  const world = new World();
  let asked = 0;
  world.env.fetch = async () => {
    asked += 1;
    return new Response("<h1>Log in</h1>", { headers: { "Content-Type": "text/html; charset=utf-8" } });
  };
  await assert.rejects(world.end(world.upload(makeFile(50))), { code: "not-authenticated" });
  assert.equal(asked, 1);
});

test("begins go one at a time", async () => {
  const world = new World();
  const gates = [];
  world.app.intercept = ({ verb }) => (verb === "begin" ? new Promise((go) => gates.push(() => go(undefined))) : undefined);
  const runs = ["a", "b"].map((name) => world.upload(makeFile(50, name)));
  await until(() => gates.length === 1);
  await settle();
  assert.equal(gates.length, 1);
  gates[0]();
  await until(() => gates.length === 2);
  gates[1]();
  await Promise.all(runs.map((run) => run.done));
});

test("two files share the pool that one may use, fairly", async () => {
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
  test(`${way} cuts what travels and tells the application`, async () => {
    const world = new World();
    world.storage.reply = () => undefined;
    const aborting = new AbortController();
    const run = world.upload(makeFile(500), { signal: aborting.signal });
    await until(() => world.storage.open.length === 4);
    if (way === "signal") aborting.abort();
    else run.abort();
    await assert.rejects(run.done, { name: "DirectUploadFailure", code: "aborted" });
    await until(() => world.app.verbs("abort").length === 1);
    assert.equal(world.app.verbs("abort")[0].path, "uploads/upload-1");
    assert.equal(world.storage.open.length, 0);
    await until(() => world.records.saved.size === 0 && world.claimed.size === 0);
  });
}

test("a signal that was aborted before begins nothing", async () => {
  const world = new World();
  await assert.rejects(world.upload(makeFile(5), { signal: AbortSignal.abort() }).done, { code: "aborted" });
  assert.equal(world.app.calls.length, 0);
});

test("a finished upload cannot be aborted any more", async () => {
  const world = new World();
  const run = world.upload(makeFile(5));
  await world.end(run);
  run.abort();
  await settle();
  assert.equal(world.app.verbs("abort").length, 0);
});

test("a pause cuts what travels; afterwards only that is sent again", async () => {
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
  assert.deepEqual(sent(world).sort(), [0, 1, 1, 2, 2, 3]);
  assert.equal(world.retries.length, 0);
});

test("an upload that is paused can be aborted", async () => {
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
  test(`a file that ${what} meanwhile is noticed`, async () => {
    const world = new World({ parallel: 1 });
    const file = makeFile(300);
    world.storage.reply = (_, nth) => {
      if (nth === 2) for (const [name, value] of Object.entries(change)) Object.defineProperty(file, name, { value });
      return 201;
    };
    await assert.rejects(world.end(world.upload(file)), { code: "file-changed" });
    assert.equal(world.app.verbs("complete").length, 0);
  });
}

test("a file that can no more be read is not taken for a broken network", async () => {
  const world = new World();
  world.storage.reply = () => {
    world.isReadable = false;
    return 0;
  };
  await assert.rejects(world.end(world.upload(makeFile(50))), { code: "file-changed" });
  assert.equal(world.storage.puts.length, 1);
});

test("a file whose ends were changed without a trace is noticed before completion", async () => {
  const world = new World();
  const file = makeFile(50);
  world.storage.reply = () => {
    const { slice } = makeFile(50);
    file.slice = (...range) => slice.apply(new Blob(["x".repeat(50)]), range);
    return 201;
  };
  await assert.rejects(world.end(world.upload(file)), { code: "file-changed" });
});

test("no failure tells a ticket or a temp URL", async () => {
  const ways = [
    (world) => { world.storage.reply = () => 503; },
    (world) => { world.storage.reply = () => 0; },
    (world) => { world.storage.reply = () => 403; },
    (world) => { world.storage.reply = () => undefined; },
    (world) => { world.app.intercept = ({ verb }) => (verb === "complete" ? new TypeError("fetch") : undefined); },
    (world) => { world.app.intercept = ({ verb }) => (verb === "complete" ? problem(403, "not-yours") : undefined); },
  ];
  for (const spoil of ways) {
    const world = new World();
    spoil(world);
    const failure = await world.end(world.upload(makeFile(50), { retries: 1, stall: 1000 })).catch((error) => error);
    assert.equal(failure.name, "DirectUploadFailure");
    assert.ok(tellsNoSecret(failure), failure.code);
    assert.ok(world.retries.every((report) => tellsNoSecret(report.failure)));
  }
});

for (const [what, clock] of [
  ["right", { ahead: 0 }],
  ["a year slow", { ahead: 365 * 86_400_000 }],
  ["a year fast", { ahead: -365 * 86_400_000 }],
  ["of no use, since another origin's Date is hidden", undefined],
]) {
  test(`temp URLs are renewed before they expire when the browser's clock is ${what}`, async () => {
    const world = new World({ parallel: 1, clock });
    world.clock.time = clock ? 2_000_000_000_000 : 1_000_000;
    world.storage.reply = () => {
      world.clock.time += 300_000;
      return 201;
    };
    await world.end(world.upload(makeFile(600), { stall: 1e9 }));
    assert.deepEqual(world.app.verbs("sign").map(({ body }) => body.indexes), [[3, 4, 5]]);
  });
}

test("an upload that is aborted while its begin is answered is taken back", async () => {
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
  await until(() => world.app.verbs("abort").length === 1 && world.claimed.size === 0);
  assert.equal(world.records.saved.size, 0);
  assert.equal(world.storage.puts.length, 0);
});
