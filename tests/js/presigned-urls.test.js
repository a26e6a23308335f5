import assert from "node:assert/strict";
import { test } from "node:test";

import { DirectUploadFailure } from "../../static/engine/failure.js";
import { PresignedUrls } from "../../static/transfer/presigned-urls.js";

test("one request signs a URL that several callers wait for", async () => {
  const asked = [];
  const sign = async (indexes) => {
    asked.push(indexes);
    return { segments: indexes.map((index) => ({ index, url: `/${index}`, expires: 1000 })), clock: 100 };
  };
  const urls = new PresignedUrls(sign, () => 0);
  const got = await Promise.all([urls.get(0, [1, 2]), urls.get(1, [2]), urls.get(2, [])]);
  assert.deepEqual(got.map(({ url }) => url), ["/0", "/1", "/2"]);
  assert.deepEqual(asked, [[0, 1, 2]]);
});

test("a failed sign request can be repeated", async () => {
  let times = 0;
  const sign = async ([index]) => {
    if ((times += 1) === 1) throw new DirectUploadFailure("network");
    return { segments: [{ index, url: "/", expires: 10 }], clock: 0 };
  };
  const urls = new PresignedUrls(sign, () => 0);
  await assert.rejects(urls.get(0, []), { code: "network" });
  assert.equal((await urls.get(0, [])).url, "/");
});

test("an answer without the requested URL is a transient failure", async () => {
  const urls = new PresignedUrls(async () => ({ segments: [] }), () => 0);
  await assert.rejects(urls.get(0, []), { code: "network", transient: true });
});
