// A simulated environment for the engine: an application with the HTTP API, a storage that answers by itself or when the
// test does, and a clock that the test advances.
import { createHash } from "node:crypto";

import { start } from "../../static/engine/upload.js";
import { DirectUploadFailure } from "../../static/engine/failure.js";
import { ConnectionPool } from "../../static/transfer/connection-pool.js";

export const MOUNT = new URL("https://app.example/_upload/");
const TICKET = "secret-ticket";
const SIGNATURE = "secret-signature";

export const md5 = (bytes) => createHash("md5").update(bytes).digest("hex");
const bytesOf = async (blob) => new Uint8Array(await blob.arrayBuffer());

export function makeFile(size, name = "report.pdf") {
  const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) % 251);
  return new File([bytes], name, { type: "application/pdf", lastModified: 1_700_000_000_000 });
}

/** Run everything that can run without time passing. */
export async function settle() {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
}

/** Wait for a condition without time passing. */
export async function until(condition, what = condition.toString()) {
  for (let turn = 0; turn < 2000; turn += 1) {
    if (condition()) return;
    await new Promise(setImmediate);
  }
  throw new Error(`Timeout: ${what}`);
}

class Clock {
  time = 1_000_000;
  #sleepers = new Set();

  sleep = (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const sleeper = { at: this.time + milliseconds, resolve };
      this.#sleepers.add(sleeper);
      signal.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
    });

  advance(milliseconds) {
    this.time += milliseconds;
    for (const sleeper of this.#sleepers) {
      if (sleeper.at > this.time) continue;
      this.#sleepers.delete(sleeper);
      sleeper.resolve();
    }
  }
}

class Storage {
  objects = new Map();
  /** Every PUT request. */
  puts = [];
  /** The most requests at once. */
  most = 0;
  #inFlight = 0;
  /** Return the status of a PUT, or undefined when the test answers it. */
  reply = () => 201;

  put = (request) =>
    new Promise((resolve, reject) => {
      const put = { ...request, index: indexOf(request.url), answer: (status) => this.#answer(put, status, resolve) };
      this.puts.push(put);
      this.most = Math.max(this.most, (this.#inFlight += 1));
      request.signal.addEventListener("abort", () => {
        this.#end(put);
        reject(request.signal.reason);
      });
      const status = this.reply(put, this.puts.length);
      if (status !== undefined) put.answer(status);
    });

  get open() {
    return this.puts.filter(({ ended }) => !ended);
  }

  async #answer(put, status, resolve) {
    const bytes = await bytesOf(put.body);
    if (status === 201) {
      put.onprogress(bytes.length);
      const etag = md5(bytes);
      if (put.headers.ETag && put.headers.ETag !== etag) status = 422;
      else this.objects.set(put.index, { index: put.index, size: bytes.length, etag });
    }
    this.#end(put);
    resolve(typeof status === "object" ? status : { status });
  }

  #end(put) {
    if (!put.ended) this.#inFlight -= 1;
    put.ended = true;
  }
}

const indexOf = (url) => Number(/segment-(\d+)/.exec(url)[1]);

class Application {
  calls = [];
  batches = [];
  begun = 0;
  begins = { now: 0, most: 0 };
  isComplete = false;
  /** The user who is logged in. */
  user = "ann";
  owners = { ann: "a".repeat(64), bob: "b".repeat(64) };
  /** The new ticket and its expiry, if the application renews tickets. */
  renewal = {};
  life = 900;
  /** Return the answer to a call, or undefined when the application answers. */
  intercept = () => undefined;

  constructor(world, { segmentSize, parallel, clock }) {
    Object.assign(this, { world, segmentSize, parallel, clock });
  }

  fetch = async (url, { method, headers, body, signal }) => {
    signal.throwIfAborted();
    const path = url.pathname.slice(MOUNT.pathname.length);
    const call = { method, path, headers, body: body && JSON.parse(body), operation: operationOf(method, path) };
    this.calls.push(call);
    const batch = /^batch\/(.*)/.exec(path)?.[1];
    const answer = (await this.intercept(call, this.calls.length)) ?? (batch ? await this.batch(call, batch) : this[call.operation](call));
    signal.throwIfAborted();
    if (answer instanceof Error) throw answer;
    const date = this.clock ? { Date: new Date(this.world.clock.time + this.clock.ahead).toUTCString() } : {};
    const owner = call.operation === "begin" || batch === "begin" ? { "Upload-Owner": this.owners[this.user] } : {};
    return new Response(answer.status === 204 ? null : JSON.stringify(answer.body), {
      status: answer.status,
      headers: { ...date, ...owner, ...answer.headers },
    });
  };

  named(operation) {
    return this.calls.filter((call) => call.operation === operation);
  }

  async batch(call, operation) {
    this.batches.push({ operation, items: call.body.uploads });
    const answers = [];
    for (const item of call.body.uploads) {
      const single = operation === "begin"
        ? { ...call, operation, path: "uploads", body: item }
        : { ...call, operation, path: `uploads/${item.id}/complete`, body: { segments: item.segments }, headers: { "Upload-Ticket": item.ticket } };
      this.calls.push(single);
      const { status, body } = (await this.intercept(single, this.calls.length)) ?? this[operation](single);
      answers.push({ status, ...body });
    }
    return { status: 200, body: { uploads: answers } };
  }

  begin({ body }) {
    this.begun += 1;
    this.file = body;
    const count = Math.max(1, Math.ceil(body.size / this.segmentSize));
    const plan = { segment_size: this.segmentSize, segment_count: count, parallel: this.parallel, checksum: "md5" };
    const first = Array.from({ length: Math.min(16, count) }, (_, index) => index);
    const id = `upload-${this.begun}`;
    return { status: 201, body: { id, ticket: TICKET, expires: 9e9, ...plan, segments: this.#signed(first) } };
  }

  owner() {
    return { status: 200, body: { owner: this.owners[this.user] } };
  }

  sign({ body }) {
    if (this.isComplete) return problem(409, "already-complete");
    return { status: 200, body: { segments: this.#signed(body.indexes), ...this.renewal } };
  }

  status() {
    const stored = this.isComplete ? [] : [...this.world.storage.objects.values()];
    return { status: 200, body: { id: "upload-1", state: this.isComplete ? "complete" : "open", stored, ...this.renewal } };
  }

  complete({ body }) {
    const { objects } = this.world.storage;
    const differ = body.segments.filter(({ index, etag }) => objects.get(index)?.etag !== etag);
    if (differ.length) return problem(409, "segments-differ", { indexes: differ.map(({ index }) => index) });
    this.isComplete = true;
    const upload = { id: `upload-${this.begun}`, name: "0123", ...this.file, etag: "whole" };
    return { status: 200, body: { receipt: "the-receipt", upload, download_url: "/files/it", data: { row: 7 } } };
  }

  abort() {
    return { status: 204 };
  }

  #signed(indexes) {
    const created = (this.world.clock.time + (this.clock?.ahead ?? 0)) / 1000;
    return indexes.map((index) => ({
      index,
      offset: index * this.segmentSize,
      size: this.segmentSize,
      method: "PUT",
      url: `/storage/segment-${index}?temp_url_sig=${SIGNATURE}&n=${this.calls.length}`,
      headers: { "Content-Type": "application/octet-stream" },
      expires: created + this.life,
    }));
  }
}

export function problem(status, code, more = {}, headers = {}) {
  return { status, body: { title: code, status, code, detail: `It is ${code}.`, ...more }, headers };
}

function operationOf(method, path) {
  if (method === "DELETE") return "abort";
  if (path.startsWith("batch/")) return "batch";
  if (method === "GET") return path === "owner" ? "owner" : "status";
  return path === "uploads" ? "begin" : path.endsWith("/complete") ? "complete" : "sign";
}

class MemoryRecords {
  saved = new Map();
  saves = 0;

  async hasAny() {
    return this.saved.size > 0;
  }

  async find(owner, mount, fingerprint) {
    return (await this.all(owner, mount)).filter((record) => record.fingerprint === fingerprint);
  }

  async all(owner, mount) {
    return [...this.saved.values()].filter((record) => record.owner === owner && record.mount === mount);
  }

  async save(record) {
    this.saves += 1;
    this.saved.set(record.id, structuredClone(record));
  }

  async remove({ id }) {
    this.saved.delete(id);
  }
}

export class World {
  clock = new Clock();
  storage = new Storage();
  records = new MemoryRecords();
  owners = new Map();
  claimed = new Set();
  hashed = [];
  reports = [];
  retries = [];
  online = true;
  isReadable = true;
  isBlockedByCsp = false;
  isCrossOrigin = false;
  isReachable = false;
  advice = [];
  /** Delays hashes, as in a page without workers. */
  hashing = undefined;
  #online = new EventTarget();

  constructor({ segmentSize = 100, parallel = 4, clock = { ahead: 0 } } = {}) {
    this.app = new Application(this, { segmentSize, parallel, clock });
    let last = Promise.resolve();
    this.env = {
      fetch: this.app.fetch,
      put: this.storage.put,
      hash: async (data) => {
        this.hashed.push(data.size);
        if (!this.isReadable) throw new DirectUploadFailure("file-changed");
        await this.hashing?.();
        return md5(await bytesOf(data));
      },
      hasHashWorkers: () => !this.hashing,
      records: this.records,
      owners: this.owners,
      verifiedMounts: new Set(),
      cookieChecks: new Map(),
      connections: new ConnectionPool(),
      batches: new Map(),
      cookies: new Map(),
      nextTask: () => new Promise(setImmediate),
      now: () => this.clock.time,
      sleep: this.clock.sleep,
      random: () => 1,
      isOnline: () => this.online,
      isBlockedByCsp: () => this.isBlockedByCsp,
      isCrossOrigin: () => this.isCrossOrigin,
      isReachable: async () => this.isReachable,
      advise: (about, url) => this.advice.push([about, new URL(url).origin]),
      whenOnline: (signal) => new Promise((resolve) => this.#online.addEventListener("online", resolve, { signal })),
      withLock: (work) => (last = last.then(work, work)),
      claim: async (id) => {
        if (this.claimed.has(id)) return undefined;
        this.claimed.add(id);
        return () => this.claimed.delete(id);
      },
    };
  }

  upload(file, options = {}) {
    const onprogress = (report) => this.reports.push(report);
    const onretry = (report) => this.retries.push(report);
    const run = start(MOUNT, file, { onprogress, onretry, ...options }, this.env);
    run.done.catch(() => undefined); // tests await it later
    return run;
  }

  comeOnline() {
    this.online = true;
    this.#online.dispatchEvent(new Event("online"));
  }

  /** Advance the clock until the upload has ended. */
  async end(run) {
    let ended = false;
    const mark = () => { ended = true; };
    run.done.then(mark, mark);
    for (let turn = 0; !ended; turn += 1) {
      if (turn > 400) throw new Error("The upload never ends.");
      await settle();
      if (!ended) this.clock.advance(500);
    }
    return run.done;
  }
}

/** Return whether a failure, as it is logged, contains no secret. */
export function isFreeOfSecrets(failure) {
  const shown = [failure.message, failure.stack, failure.detail, JSON.stringify(failure), String(failure)].join();
  return !shown.includes(TICKET) && !shown.includes(SIGNATURE);
}
