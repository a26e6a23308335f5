import assert from "node:assert/strict";
import { test } from "node:test";

import { ConnectionPool } from "../../static/transfer/connection-pool.js";
import { until } from "./world.js";

const never = new AbortController().signal;

test("a free connection goes to the upload that has the fewest", async () => {
  const pool = new ConnectionPool();
  const [large, small] = [pool.join(2), pool.join(2)];
  await large.acquire(never);
  await large.acquire(never);
  const order = [];
  void large.acquire(never).then(() => order.push("large"));
  void small.acquire(never).then(() => order.push("small"));
  large.release();
  await until(() => order.length === 1);
  assert.deepEqual(order, ["small"]);
});

test("an upload that ends gives its connections to others, and an aborted one stops waiting", async () => {
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

test("while there are small files, as many requests are sent as the browser allows", async () => {
  const pool = new ConnectionPool();
  const shares = Array.from({ length: 8 }, () => pool.join(2, true));
  assert.equal(pool.isBusy, false);
  for (const share of shares) void share.acquire(never);
  await until(() => shares.filter(({ busy }) => busy).length === 6);
  assert.equal(pool.isBusy, true);
  const large = pool.join(2);
  for (const share of shares) share.leave();
  void large.acquire(never);
  await until(() => large.busy === 1);
});

test("after each failure an upload uses half of its connections, and at least one", () => {
  const share = new ConnectionPool().join(4);
  const limits = [];
  for (const step of ["failed", "failed", "failed", "succeeded", "succeeded", "succeeded", "succeeded"]) {
    step === "failed" ? share.failed() : share.succeeded(0);
    limits.push(share.limit);
  }
  assert.deepEqual(limits, [2, 1, 1, 2, 3, 4, 4]);
});
