import assert from "node:assert/strict";
import { test } from "node:test";

import { DirectUploadFailure } from "../../static/engine/failure.js";
import { explain, formatDuration, formatSize, formatSizes, formatSpeed, messages, message } from "../../static/messages.js";

test("every code of the API has a message for the visitor, and so has an unknown one", () => {
  const codes = [
    "network", "stalled", "aborted", "file-changed", "not-authenticated", "cross-site", "not-yours", "invalid-ticket",
    "refused", "too-large", "type-not-accepted", "segments-missing", "segments-differ", "already-complete",
    "ticket-expired", "invalid-request", "application-error", "storage-error", "storage-unavailable",
  ];
  for (const code of codes) assert.equal(explain(new DirectUploadFailure(code)), messages[code]);
  assert.equal(explain(new DirectUploadFailure("something-new")), messages.other);
});

test("an application that refuses can show its own message", () => {
  assert.equal(explain(new DirectUploadFailure("refused", { detail: "Your quota is used up." })), "Your quota is used up.");
});

test("placeholders are filled in, and names that look like placeholders are not", () => {
  assert.equal(message("finished", { name: "{total}.pdf" }), "{total}.pdf uploaded");
});

test("sizes have a fitting unit", () => {
  assert.deepEqual([0, 999, 1500, 12_345_678, 3e9].map((size) => formatSize(size, "en").replace(/\u00a0/g, " ")), [
    "0 bytes", "999 bytes", "2 kB", "12.3 MB", "3 GB",
  ]);
});

for (const [seconds, text] of [
  [0.2, "1 second"], [7.4, "8 seconds"], [11, "15 seconds"], [50, "50 seconds"], [51, "1 minute"], [90, "2 minutes"],
  [3300, "55 minutes"], [3400, "0.9 hours"], [5400, "1.5 hours"], [100_000, "28 hours"],
]) {
  test(`${seconds} s are shown as ${text}`, () => assert.equal(formatDuration(seconds, "en"), text));
}

test("a speed has a unit in the page's language", () => {
  assert.equal(formatSpeed(1_400_000, "en").replace(/\s/, " "), "1.4 MB/s");
  assert.match(formatSpeed(0, "en"), /0\sbyte\/s/);
  assert.match(formatSpeed(2_500_000, "de"), /2,5\sMB\/s/);
});

test("a count selects the plural form, and is a number of the language", () => {
  assert.equal(message("tooFew", { count: 1 }), "Choose at least 1 file.");
  assert.equal(message("tooFew", { count: 1200 }), "Choose at least 1,200 files.");
});

test("two sizes share a unit", () => {
  const { loaded, total } = formatSizes(45.04e6, 120e6);
  assert.equal(`${loaded} of ${total.replace(/\s/, " ")}`, "45 of 120 MB");
});
