// The small parts of the engine, each by itself.
import assert from "node:assert/strict";
import { test } from "node:test";

import { DirectUploadFailure } from "../../static/engine/failure.js";
import { Gate } from "../../static/engine/pause-gate.js";
import { HashPool } from "../../static/hashing/hash-pool.js";
import { Lanes } from "../../static/engine/connection-pool.js";
import { explain, formatSize, messages, say } from "../../static/messages.js";
import { backoff, retryAfter } from "../../static/engine/retry.js";
import { TempUrls } from "../../static/engine/temp-urls.js";
import { md5, settle, until } from "./world.js";

const never = new AbortController().signal;

test("backoff doubles up to half a minute, and any time below may be drawn", () => {
  assert.deepEqual([1, 2, 3, 4].map((failures) => backoff(failures, 1)), [500, 1000, 2000, 4000]);
  assert.equal(backoff(50, 1), 30_000);
  assert.equal(backoff(3, 0.25), 500);
  assert.equal(backoff(3, 0), 0);
});

test("Retry-After is seconds or a date, and nothing absurd", () => {
  const now = Date.parse("Fri, 01 Aug 2025 12:00:00 GMT");
  for (const [header, wait] of [
    ["7", 7000], ["0", 0], [null, 0], [undefined, 0], ["soon", 0], ["99999999", 600_000],
    ["Fri, 01 Aug 2025 12:00:30 GMT", 30_000], ["Fri, 01 Aug 2025 11:00:00 GMT", 0],
  ]) {
    assert.equal(retryAfter(header, now), wait, String(header));
  }
  assert.equal(retryAfter("Fri, 01 Aug 2025 12:00:30 GMT", NaN), 0, "nobody knows when that is");
  assert.equal(retryAfter("7", NaN), 7000);
});

test("a gate lets pass until it closes, and again when it opens", async () => {
  const gate = new Gate();
  await gate.passed(never);
  const closing = gate.signal;
  gate.close();
  assert.ok(closing.aborted);
  let passed = false;
  const passing = gate.passed(never).then(() => { passed = true; });
  await settle();
  assert.equal(passed, false);
  gate.open();
  await passing;
  assert.equal(gate.signal.aborted, false);
});

test("who waits at a closed gate can be called away", async () => {
  const gate = new Gate();
  gate.close();
  const aborting = new AbortController();
  const waiting = gate.passed(aborting.signal);
  aborting.abort(new Error("away"));
  await assert.rejects(waiting, /away/);
});

test("a free lane goes to the upload that has the fewest", async () => {
  const lanes = new Lanes();
  const [greedy, modest] = [lanes.join(2), lanes.join(2)];
  await greedy.take(never);
  await greedy.take(never);
  const order = [];
  void greedy.take(never).then(() => order.push("greedy"));
  void modest.take(never).then(() => order.push("modest"));
  greedy.release();
  await until(() => order.length === 1);
  assert.deepEqual(order, ["modest"]);
});

test("an upload that leaves gives its lanes to others, and one called away waits no more", async () => {
  const lanes = new Lanes();
  const [big, small] = [lanes.join(1), lanes.join(1)];
  await big.take(never);
  const aborting = new AbortController();
  const waiting = small.take(aborting.signal);
  aborting.abort(new Error("away"));
  await assert.rejects(waiting, /away/);
  big.release();
  big.leave();
  await small.take(never);
  assert.equal(small.busy, 1);
});

test("after failures an upload takes half its lanes, never none", () => {
  const share = new Lanes().join(4);
  const limits = [];
  for (const step of ["slower", "slower", "slower", "faster", "faster", "faster", "faster"]) {
    share[step]();
    limits.push(share.limit);
  }
  assert.deepEqual(limits, [2, 1, 1, 2, 3, 4, 4]);
});

test("those who want the same temp URL ask once", async () => {
  const asked = [];
  const sign = async (indexes) => {
    asked.push(indexes);
    return { segments: indexes.map((index) => ({ index, url: `/${index}`, expires: 1000 })), clock: 100 };
  };
  const urls = new TempUrls(sign, () => 0);
  const got = await Promise.all([urls.get(0, [1, 2]), urls.get(1, [2]), urls.get(2, [])]);
  assert.deepEqual(got.map(({ url }) => url), ["/0", "/1", "/2"]);
  assert.deepEqual(asked, [[0, 1, 2]]);
});

test("a failed question may be asked again", async () => {
  let times = 0;
  const sign = async ([index]) => {
    if ((times += 1) === 1) throw new DirectUploadFailure("network");
    return { segments: [{ index, url: "/", expires: 10 }], clock: 0 };
  };
  const urls = new TempUrls(sign, () => 0);
  await assert.rejects(urls.get(0, []), { code: "network" });
  assert.equal((await urls.get(0, [])).url, "/");
});

test("an answer without the temp URL that was asked for is a passing fault", async () => {
  const urls = new TempUrls(async () => ({ segments: [] }), () => 0);
  await assert.rejects(urls.get(0, []), { code: "network", transient: true });
});

/** A worker that answers when told to. */
class FakeWorker {
  static all = [];
  terminated = false;
  constructor() { FakeWorker.all.push(this); }
  postMessage(data) { this.data = data; }
  terminate() { this.terminated = true; }
  answer(answer) { this.onmessage({ data: answer }); }
}

function pool(size) {
  FakeWorker.all = [];
  return new HashPool(size, () => new FakeWorker());
}

test("hashes are computed by as many workers as there may be, in turn", async () => {
  const hashers = pool(2);
  const hashes = ["a", "b", "c"].map((text) => hashers.hash(new Blob([text])));
  assert.equal(FakeWorker.all.length, 2);
  FakeWorker.all[1].answer({ etag: "of b" });
  assert.equal(await hashes[1], "of b");
  FakeWorker.all[1].answer({ etag: "of c" });
  FakeWorker.all[0].answer({ code: "file-changed" });
  assert.equal(await hashes[2], "of c");
  await assert.rejects(hashes[0], { name: "DirectUploadFailure", code: "file-changed" });
});

test("workers that have nothing to do are let go", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const hashers = pool(1);
  const hash = hashers.hash(new Blob(["a"]));
  FakeWorker.all[0].answer({ etag: "of a" });
  await hash;
  t.mock.timers.tick(9_999);
  assert.equal(FakeWorker.all[0].terminated, false);
  t.mock.timers.tick(1);
  assert.equal(FakeWorker.all[0].terminated, true);
});

test("a worker that has done sixteen is let go for a new one", async () => {
  const hashers = pool(1);
  for (let done = 0; done < 17; done += 1) {
    const hash = hashers.hash(new Blob(["a"]));
    FakeWorker.all.at(-1).answer({ etag: "of a" });
    await hash;
  }
  assert.deepEqual(FakeWorker.all.map(({ terminated }) => terminated), [true, false]);
});

test("a hash that is no more wanted frees its worker's place", async () => {
  const hashers = pool(1);
  const aborting = new AbortController();
  const unwanted = hashers.hash(new Blob(["a"]), aborting.signal);
  const wanted = hashers.hash(new Blob(["b"]));
  aborting.abort(new Error("away"));
  await assert.rejects(unwanted, /away/);
  assert.equal(FakeWorker.all[0].terminated, true);
  FakeWorker.all[1].answer({ etag: "of b" });
  assert.equal(await wanted, "of b");
});

for (const [what, spawn] of [
  ["may not be made", () => { throw new DOMException("", "SecurityError"); }],
  ["do not start", () => {
    const worker = new FakeWorker();
    setImmediate(() => worker.onerror());
    return worker;
  }],
]) {
  test(`where workers ${what} the page hashes by itself, and says so once`, async (t) => {
    const info = t.mock.method(console, "info", () => undefined);
    const hashers = new HashPool(2, spawn);
    const hashes = await Promise.all(["a", "b", "c"].map((text) => hashers.hash(new Blob([text]))));
    assert.deepEqual(hashes, ["a", "b", "c"].map(md5));
    assert.equal(info.mock.callCount(), 1);
  });
}

test("every code of the API has words for the visitor, and an unknown one too", () => {
  const codes = [
    "network", "stalled", "aborted", "file-changed", "not-authenticated", "cross-site", "not-yours", "invalid-ticket",
    "refused", "too-large", "type-not-accepted", "segments-missing", "segments-differ", "already-complete",
    "ticket-expired", "invalid-request", "application-error", "storage-error", "storage-unavailable",
  ];
  for (const code of codes) assert.equal(explain(new DirectUploadFailure(code)), messages[code]);
  assert.equal(explain(new DirectUploadFailure("something-new")), messages.other);
});

test("an application that refuses may say why in its own words", () => {
  assert.equal(explain(new DirectUploadFailure("refused", { detail: "Your quota is used up." })), "Your quota is used up.");
});

test("texts are filled in, and names that look like places are left alone", () => {
  assert.equal(say("finished", { name: "{total}.pdf" }), "{total}.pdf is uploaded");
});

test("sizes are told in words that fit them", () => {
  assert.deepEqual([0, 999, 1500, 12_345_678, 3e9].map((size) => formatSize(size, "en").replace(/\u00a0/g, " ")), [
    "0 bytes", "999 bytes", "2 kB", "12.3 MB", "3 GB",
  ]);
});
