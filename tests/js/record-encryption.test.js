// What the next user of a shared computer can learn from a resume record.
import assert from "node:assert/strict";
import { test } from "node:test";

import { RecordEncryption } from "../../static/resume/record-encryption.js";

const ANN = "a".repeat(32) + "1".repeat(32);
const BOB = "b".repeat(32) + "2".repeat(32);
/** An attacker who knows the name of Ann's records, but not her secret. */
const ATTACKER = "a".repeat(32) + "2".repeat(32);

const RECORD = {
  owner: ANN,
  id: "upload-1",
  ticket: "the-ticket",
  mount: "https://app.example/_upload/",
  fingerprint: '["medical report.pdf",500,1700000000000,"0123"]',
  place: "/patients/7",
  expires: 9e9,
  segment_size: 100,
  segment_count: 5,
  parallel: 4,
  etags: [{ index: 0, etag: "00" }],
};

const bytesOf = (value) => Buffer.from(value);

test("the owner can decrypt a record", async () => {
  const row = await new RecordEncryption(ANN).encrypt(RECORD);
  const { owner, ...record } = RECORD;
  assert.deepEqual(await new RecordEncryption(ANN).decrypt(structuredClone(row)), record);
});

test("a record reveals the owner's name and its expiry, and nothing else", async () => {
  const { id, file, content, ...rest } = await new RecordEncryption(ANN).encrypt(RECORD);
  assert.deepEqual(rest, { owner: "a".repeat(32), expires: 9e9 });
  const seen = Buffer.concat([id, file, content.iv, content.data].map(bytesOf)).toString("latin1");
  for (const secret of ["report", "upload-1", "ticket", "patients", "app.example", ANN.slice(32)]) {
    assert.ok(!seen.includes(secret), secret);
  }
});

test("nobody else can decrypt a record", async () => {
  const row = await new RecordEncryption(ANN).encrypt(RECORD);
  await assert.rejects(new RecordEncryption(BOB).decrypt(row));
  await assert.rejects(new RecordEncryption(ATTACKER).decrypt(row));
});

test("nobody else can create a record that the owner accepts", async () => {
  await assert.rejects(new RecordEncryption(ANN).decrypt(await new RecordEncryption(ATTACKER).encrypt(RECORD)));
});

test("nobody else can check whether a record is of a certain file", async () => {
  const { mount, fingerprint } = RECORD;
  const { file } = await new RecordEncryption(ANN).encrypt(RECORD);
  assert.deepEqual(await new RecordEncryption(ANN).hash(mount + fingerprint), file);
  assert.notDeepEqual(await new RecordEncryption(ATTACKER).hash(mount + fingerprint), file);
});

test("the length of a record does not reveal the file's size or how much is stored", async () => {
  const etags = (count) => Array.from({ length: count }, (_, index) => ({ index, etag: "0".repeat(32) }));
  const length = async (count) => (await new RecordEncryption(ANN).encrypt({ ...RECORD, etags: etags(count) })).content.data.byteLength;
  assert.equal(await length(0), await length(10));
  assert.equal(await length(100), await length(140));
  const { content } = await new RecordEncryption(ANN).encrypt({ ...RECORD, fingerprint: "Übergröße" });
  assert.equal(content.data.byteLength, await length(0));
});

test("a record that is stored twice is encrypted differently", async () => {
  const [one, other] = [await new RecordEncryption(ANN).encrypt(RECORD), await new RecordEncryption(ANN).encrypt(RECORD)];
  assert.deepEqual(one.id, other.id);
  assert.notDeepEqual(one.content, other.content);
});

test("without Web Crypto, records are still separated by owner", async () => {
  const real = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  Object.defineProperty(globalThis, "crypto", { value: {}, configurable: true });
  try {
    const { RecordEncryption: Unencrypted } = await import("../../static/resume/record-encryption.js?bare");
    const row = await new Unencrypted(ANN).encrypt(RECORD);
    const { owner, ...record } = RECORD;
    assert.equal(row.owner, "a".repeat(32));
    assert.deepEqual(await new Unencrypted(ANN).decrypt(row), record);
    assert.ok(!JSON.stringify(row).includes(ANN.slice(32)), "the key is not stored");
  } finally {
    Object.defineProperty(globalThis, "crypto", real);
  }
});
