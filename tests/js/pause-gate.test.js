import assert from "node:assert/strict";
import { test } from "node:test";

import { PauseGate } from "../../static/transfer/pause-gate.js";
import { settle } from "./world.js";

const never = new AbortController().signal;

test("work passes the gate until a pause, and again after resume", async () => {
  const gate = new PauseGate();
  await gate.wait(never);
  const pausing = gate.signal;
  gate.pause();
  assert.ok(pausing.aborted);
  let passed = false;
  const passing = gate.wait(never).then(() => { passed = true; });
  await settle();
  assert.equal(passed, false);
  gate.resume();
  await passing;
  assert.equal(gate.signal.aborted, false);
});

test("waiting during a pause can be aborted", async () => {
  const gate = new PauseGate();
  gate.pause();
  const aborting = new AbortController();
  const waiting = gate.wait(aborting.signal);
  aborting.abort(new Error("aborted"));
  await assert.rejects(waiting, /aborted/);
});
