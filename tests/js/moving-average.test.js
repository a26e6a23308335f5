import assert from "node:assert/strict";
import { test } from "node:test";

import { MovingAverage } from "../../static/engine/moving-average.js";

/** Measure a steady rate for some seconds. */
function measure(average, from, seconds, speed) {
  let now = from;
  for (let step = 0; step < seconds * 10; step += 1) {
    average.add(speed / 10);
    average.rate((now += 100));
  }
  return now;
}

test("a steady rate is returned as it is", () => {
  const average = new MovingAverage(0);
  const now = measure(average, 0, 3, 1000);
  assert.ok(Math.abs(average.rate(now) - 1000) < 1);
});

test("the rate is 0 until enough was measured", () => {
  const average = new MovingAverage(0);
  average.add(5000);
  assert.equal(average.rate(900), 0);
  assert.ok(average.rate(1200) > 0);
});

test("a short gap changes the rate little, a lasting change changes it fully", () => {
  const average = new MovingAverage(0);
  let now = measure(average, 0, 20, 1000);
  now = measure(average, now, 0.5, 0);
  assert.ok(average.rate(now) > 850 && average.rate(now) < 1000);
  now = measure(average, now, 30, 200);
  assert.ok(Math.abs(average.rate(now) - 200) < 10);
});

test("the time of a pause is left out", () => {
  const average = new MovingAverage(0);
  const now = measure(average, 0, 5, 1000);
  average.skipTo(now + 3_600_000);
  assert.ok(Math.abs(average.rate(now + 3_600_000) - 1000) < 1);
});

test("a clock that is set back does not give an absurd rate", () => {
  const average = new MovingAverage(0);
  const now = measure(average, 0, 5, 1000);
  average.add(100);
  const speed = average.rate(now - 60_000);
  assert.ok(speed >= 1000 && speed < 1100, String(speed));
});
