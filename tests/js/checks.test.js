// What a page allows, asked before anything is sent.
import assert from "node:assert/strict";
import { test } from "node:test";

import { check, describe, isAccepted, parseSize } from "../../static/ui/choice/checks.js";
import { limit } from "../../static/ui/choice/limits.js";
import { describeTypes, possibleTypes } from "../../static/ui/choice/type-names.js";
import { DirectUploadFailure } from "../../static/engine/failure.js";
import { explain, isFinal, formatFailure } from "../../static/messages.js";

for (const [accept, name, type, expected] of [
  ["", "a.exe", "", true],
  [" , ", "a.exe", "", true],
  [".pdf", "Report.PDF", "application/pdf", true],
  [".PDF", "report.pdf", "", true],
  [".pdf", "pdf", "application/pdf", false],
  ["image/*", "a.png", "image/png", true],
  ["image/*", "a.png", "", true],
  ["image/*", "a.mp4", "video/mp4", false],
  ["video/mp4", "a", "VIDEO/MP4; codecs=avc1", true],
  ["text/plain, image/*", "a", "image/webp", true],
  ["*/*", "a", "", true],
  ["application/octet-stream", "a", "", true],
]) {
  test(`accept ${JSON.stringify(accept)} ${expected ? "takes" : "refuses"} ${name} of type ${JSON.stringify(type)}`, () => {
    assert.equal(isAccepted({ name, type }, accept, possibleTypes), expected);
  });
}

for (const [text, bytes] of [
  ["5000", 5000], ["20 MB", 20e6], ["20mb", 20e6], ["16 MiB", 16 * 1024 ** 2], ["1.5 GB", 1.5e9], ["2k", 2000],
  ["0", 0], ["", Infinity], [null, Infinity], [undefined, Infinity],
]) {
  test(`a limit of ${JSON.stringify(text)} is ${bytes} bytes`, () => assert.equal(parseSize(text), bytes));
}

test("an invalid limit does not limit, and the console says so", (t) => {
  const warn = t.mock.method(console, "warn", () => undefined);
  for (const text of ["a lot", "-5", "5 XB", "1.2.3"]) assert.equal(parseSize(text), Infinity, text);
  assert.equal(warn.mock.callCount(), 4);
});

const file = (size, name = "a.txt", type = "text/plain") => ({ size, name, type });

test("a file may be exactly as large as the limit", () => {
  const rules = { accept: "", maxSize: 10 };
  assert.equal(check(file(10), rules), undefined);
  assert.equal(check(file(11), rules).code, "too-large");
});

test("what the page finds out is said in its own words, and trying again is no use", async () => {
  const tooLarge = check(file(6e6), { accept: "", maxSize: 5e6 });
  assert.match(explain(tooLarge), /limit is 5\sMB\./);
  const wrongType = await check(file(1), { accept: ".pdf,image/*", maxSize: Infinity });
  assert.equal(wrongType.code, "type-not-accepted");
  assert.equal(explain(wrongType), "This file type isn't accepted. Allowed: PDF, images.");
  for (const failure of [tooLarge, wrongType]) assert.ok(isFinal(failure));
});

test("what is accepted is said as people say it", () => {
  assert.equal(describe(".pdf, image/*,video/*, audio/*, application/x-zip,.tar.gz"), "PDF, images, videos, audio, ZIP, TAR.GZ");
});

test("a type that is missing or has another name is decided by the extension", async () => {
  const rules = { accept: "image/*, text/csv", maxSize: Infinity };
  assert.equal(await check(file(1, "a.heic", ""), rules), undefined);
  assert.equal(await check(file(1, "a.csv", "application/vnd.ms-excel"), rules), undefined);
  assert.equal((await check(file(1, "a.pdf", ""), rules)).code, "type-not-accepted");
  assert.ok(check(file(1, "a.pdf", ""), { accept: ".txt", maxSize: Infinity }) instanceof DirectUploadFailure); // at once
});

for (const [accept, told] of [
  ["application/msword,application/vnd.openxmlformats-officedocument.wordprocessingml.document", "Word documents"],
  ["application/vnd.ms-excel, application/vnd.openxmlformats-officedocument.spreadsheetml.sheet, .pdf", "Excel spreadsheets, PDF"],
  ["application/vnd.openxmlformats-officedocument.presentationml.presentation", "PowerPoint presentations"],
  ["text/plain, image/svg+xml, audio/mpeg, image/jpeg, */*", "text files, SVG, MP3, JPG"],
  ["application/vnd.oasis.opendocument.text, application/zip, application/x-unheard", "ODT, ZIP, UNHEARD"],
]) {
  test(`${accept} is told as ${told}`, () => assert.equal(describeTypes(accept), told));
}

const chosen = (...sizes) => sizes.map((size, index) => ({ file: file(size, `${index}.txt`) }));

test("a field has room for so many files, and tells which ones are not added", () => {
  const rules = { maxFiles: 3, maxTotalSize: 100 };
  const { allowed, notice } = limit(chosen(1, 2, 3), [{ size: 1 }], rules);
  assert.deepEqual(allowed.map((each) => each.file.name), ["0.txt", "1.txt"]);
  assert.equal(notice, "You can add up to 3 files. Not added: 2.txt");
  assert.match(limit(chosen(60, 30), [{ size: 50 }], rules).notice, /up to 100 bytes in total\. Not added: 0\.txt$/);
  assert.match(limit(chosen(1, 2, 3, 4, 5), [], { maxFiles: 1 }).notice, /^You can add only 1 file\. Not added: 1\.txt, 2\.txt, 3\.txt …$/);
});

test("the technical detail names code, status and what was said", () => {
  assert.equal(formatFailure({ code: "storage-error", status: 507, detail: "Storage answered 507." }), "storage-error · 507 · Storage answered 507.");
});
