// The parts of the real environment that need no browser.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { browser } from "../../static/engine/browser.js";

const never = new AbortController().signal;
const real = Object.getOwnPropertyDescriptor(globalThis, "navigator");
after(() => Object.defineProperty(globalThis, "navigator", real ?? { value: undefined, configurable: true }));

function useLocks(locks) {
  Object.defineProperty(globalThis, "navigator", { value: { locks }, configurable: true });
}

const forbidden = { request: async () => { throw new DOMException("The request was denied.", "SecurityError"); } };

for (const [what, locks] of [["forbids locks", forbidden], ["has no locks", undefined]]) {
  test(`work runs once in a page that ${what}, and its error is thrown`, async () => {
    useLocks(locks);
    let runs = 0;
    assert.equal(await browser.withLock(async () => (runs += 1), never), 1);
    await assert.rejects(browser.withLock(async () => { throw new Error("refused"); }, never), /refused/);
    assert.equal(runs, 1);
  });

  test(`an upload can be claimed once in a page that ${what}`, async () => {
    useLocks(locks);
    const release = await browser.claim(what);
    assert.equal(await browser.claim(what), undefined);
    release();
    assert.notEqual(await browser.claim(what), undefined);
  });
}

test("an error of the work under a lock is thrown, and the work runs once", async () => {
  useLocks({ request: (_name, _options, work) => work() });
  let runs = 0;
  const work = async () => {
    runs += 1;
    throw new Error("refused");
  };
  await assert.rejects(browser.withLock(work, never), /refused/);
  assert.equal(runs, 1);
});

test("work that waits for a lock can be aborted", async () => {
  useLocks({ request: (_name, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))) });
  const aborting = new AbortController();
  const waiting = browser.withLock(() => assert.fail("it must not run"), aborting.signal);
  aborting.abort(new Error("aborted"));
  await assert.rejects(waiting, /aborted/);
});
