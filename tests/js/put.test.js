// However a browser ends a request, the upload goes on or fails with a message.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { put } from "../../static/transfer/put.js";
import { makeFile, settle, until, World } from "./world.js";

/** An XMLHttpRequest whose events the test dispatches. */
class FakeRequest extends EventTarget {
  static all = [];
  upload = {};
  status = 0;
  headers = {};
  constructor() {
    super();
    FakeRequest.all.push(this);
  }
  open(method, url) { Object.assign(this, { method, url }); }
  setRequestHeader(name, value) { this.headers[name] = value; }
  send(body) { this.body = body; }
  abort() { this.end("abort", "loadend"); }
  getAllResponseHeaders() { return "Retry-After: 7\r\nDate: today\r\n"; }
  end(...events) {
    for (const type of events) this.dispatchEvent(new Event(type));
  }
}

const { XMLHttpRequest } = globalThis;
beforeEach(() => {
  FakeRequest.all = [];
  globalThis.XMLHttpRequest = FakeRequest;
});
afterEach(() => { globalThis.XMLHttpRequest = XMLHttpRequest; });

const request = (signal = new AbortController().signal) => ({ url: "https://s.example/", headers: {}, body: new Blob(), signal });

test("an answer has the status, Retry-After and storage's clock", async () => {
  const answer = put(request());
  Object.assign(FakeRequest.all[0], { status: 503 }).end("load", "loadend");
  assert.deepEqual(await answer, { status: 503, retryAfter: "7", date: "today" });
});

for (const events of [["abort"], ["abort", "loadend"], ["error"], ["error", "loadend"], ["timeout"], ["loadend"]]) {
  test(`a request that the browser ends with ${events.join(" and ")} has no answer`, async () => {
    const answer = put(request());
    Object.assign(FakeRequest.all[0], { status: 201 }).end(...events);
    assert.deepEqual(await answer, { status: 0 });
  });

  test(`a segment whose request ends with ${events.join(" and ")} is sent again`, async () => {
    const world = new World();
    world.env.put = put;
    const run = world.upload(makeFile(50));
    await until(() => FakeRequest.all.length === 1);
    FakeRequest.all[0].end(...events);
    await until(() => world.retries.length === 1);
    world.clock.advance(1000);
    await until(() => FakeRequest.all.length === 2);
    await world.storage.put({ ...FakeRequest.all[1], signal: new AbortController().signal, onprogress() {} });
    Object.assign(FakeRequest.all[1], { status: 201 }).end("load", "loadend");
    assert.equal((await world.end(run)).receipt, "the-receipt");
  });
}

test("a request that the upload aborts throws the signal's reason", async () => {
  const aborting = new AbortController();
  const answer = put(request(aborting.signal));
  aborting.abort(new Error("paused"));
  await assert.rejects(answer, /paused/);
});

for (const [what, error] of [
  ["undefined", undefined],
  ["a TypeError", new TypeError("x is not a function")],
  ["a string", "failed"],
  ["an exception of the DOM", new DOMException("https://s.example/o?temp_url_sig=secret-signature&temp_url_expires=9 is wrong", "SyntaxError")],
]) {
  test(`${what} that is thrown anywhere is a failure without secrets`, async () => {
    for (const spoil of [
      (world) => { world.env.put = () => { throw error; }; },
      (world) => { world.env.put = () => Promise.reject(error); },
      (world) => { world.env.hash = () => Promise.reject(error); },
      (world) => { world.env.claim = () => Promise.reject(error); },
      (world) => { world.records.find = world.records.hasAny = () => Promise.reject(error); },
      (world) => { world.env.withLock = () => Promise.reject(error); },
    ]) {
      const world = new World();
      spoil(world);
      const failure = await world.upload(makeFile(50)).done.catch((reason) => reason);
      assert.deepEqual([failure.name, failure.code], ["DirectUploadFailure", "unexpected"]);
      assert.ok(!failure.message.includes("secret-signature"));
      assert.notEqual(failure.detail, "");
    }
    await settle();
  });
}
