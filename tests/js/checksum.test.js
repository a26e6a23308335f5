// The header that makes storage verify a segment's MD5.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { makeFile, md5, World } from "./world.js";

/** Return the headers and bytes of each PUT when every segment has this `checksum`. */
async function send(checksum) {
  const world = new World();
  const sign = world.app.fetch;
  world.env.fetch = async (...request) => {
    const response = await sign(...request);
    const body = await response.json();
    for (const segment of body.segments ?? []) Object.assign(segment, { checksum });
    return Response.json(body, { status: response.status, headers: response.headers });
  };
  await world.end(world.upload(makeFile(250)));
  const { segments } = world.app.named("complete")[0].body;
  return Promise.all(world.storage.puts.map(async ({ body, headers, index }) => {
    return { headers, bytes: Buffer.from(await body.arrayBuffer()), etag: segments[index].etag };
  }));
}

test("without `checksum` the MD5 is sent as ETag in hex", async () => {
  for (const { headers, bytes } of await send(undefined)) assert.equal(headers.ETag, md5(bytes));
});

test("with `checksum` the MD5 is sent in its header and encoding, and complete still gets it in hex", async () => {
  for (const { headers, bytes, etag } of await send({ header: "Content-MD5", encoding: "base64" })) {
    assert.equal(headers["Content-MD5"], createHash("md5").update(bytes).digest("base64"));
    assert.ok(!("ETag" in headers));
    assert.equal(etag, md5(bytes));
  }
});

test("another header may take the MD5 in hex", async () => {
  for (const { headers, bytes } of await send({ header: "X-MD5", encoding: "hex" })) assert.equal(headers["X-MD5"], md5(bytes));
});
