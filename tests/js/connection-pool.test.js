import assert from "node:assert/strict";
import { test } from "node:test";

import { ConnectionPool } from "../../static/engine/connection-pool.js";
import { until } from "./world.js";

const never = new AbortController().signal;

test("a free lane goes to the upload that has the fewest", async () => {
  const pool = new ConnectionPool();
  const [greedy, modest] = [pool.join(2), pool.join(2)];
  await greedy.acquire(never);
  await greedy.acquire(never);
  const order = [];
  void greedy.acquire(never).then(() => order.push("greedy"));
  void modest.acquire(never).then(() => order.push("modest"));
  greedy.release();
  await until(() => order.length === 1);
  assert.deepEqual(order, ["modest"]);
});

test("an upload that leaves gives its pool to others, and one called away waits no more", async () => {
  const pool = new ConnectionPool();
  const [big, small] = [pool.join(1), pool.join(1)];
  await big.acquire(never);
  const aborting = new AbortController();
  const waiting = small.acquire(aborting.signal);
  aborting.abort(new Error("away"));
  await assert.rejects(waiting, /away/);
  big.release();
  big.leave();
  await small.acquire(never);
  assert.equal(small.busy, 1);
});

test("after failures an upload takes half its pool, never none", () => {
  const share = new ConnectionPool().join(4);
  const limits = [];
  for (const step of ["shrink", "shrink", "shrink", "grow", "grow", "grow", "grow"]) {
    share[step]();
    limits.push(share.limit);
  }
  assert.deepEqual(limits, [2, 1, 1, 2, 3, 4, 4]);
});
