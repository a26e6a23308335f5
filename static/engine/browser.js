// The engine's environment in a real browser.
/** @import { Environment } from "../types.d.ts" */
import { HashPool } from "../hashing/hash-pool.js";
import { ConnectionPool } from "../transfer/connection-pool.js";
import { put } from "../transfer/put.js";

/** Bytes that are hashed in the page: that takes less time than asking a worker. */
const SMALL = 256 * 1024;

const hashers = new HashPool(
  Math.min(4, globalThis.navigator?.hardwareConcurrency || 2),
  () => new Worker(new URL("../hashing/hash-worker.js", import.meta.url), { type: "module" }),
);

/** A separate module: without it the engine works, but cannot resume uploads. */
const records = import("../resume/records.js").then(({ IndexedDbRecords }) => new IndexedDbRecords(), () => undefined);

/** @type {Environment} */
export const browser = {
  fetch: (...request) => fetch(...request),
  put,
  hash: (data, signal) => {
    const inWorker = () => hashers.hash(data, signal);
    if (data.size > SMALL) return inWorker();
    return import("../hashing/read-md5.js").then(({ readInTurn }) => readInTurn(data, signal), inWorker); // it was not loaded
  },
  hasHashWorkers: () => hashers.hasWorkers,
  records: /** @type {Environment["records"]} */ (new Proxy({}, {
    get: (_, /** @type {keyof Environment["records"]} */ name) => async (/** @type {any} */ ...values) =>
      (await records)?.[name](.../** @type {[any, any, any]} */ (values)),
  })),
  owners: new Map(),
  batches: new Map(),
  cookies: new Map(),
  verifiedMounts: new Set(),
  cookieChecks: new Map(),
  connections: new ConnectionPool(),
  now: () => Date.now(), // unlike performance.now(), it always counts the time while the computer sleeps
  sleep,
  nextTask,
  random: Math.random,
  isOnline: () => navigator.onLine,
  isBlockedByCsp: (url) => blockedOrigins.has(new URL(url).origin),
  isCrossOrigin: (url) => new URL(url).origin !== globalThis.location?.origin,
  isReachable,
  advise,
  whenOnline: (signal) => eventOf(window, "online", signal),
  withLock,
  claim,
};

/**
 * Load the advice only when something fails.
 * @type {Environment["advise"]}
 */
async function advise(topic, url) {
  const advice = await import("./developer-advice.js").catch(() => undefined); // the network itself may be down
  advice?.advise(topic, url);
}

/**
 * Wait until the page has done what it is about to do. A timer would be late in a page that is not visible.
 * @returns {Promise<void>}
 */
function nextTask() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve(port1.close());
    port2.postMessage(0);
  });
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const wake = () => {
      signal.removeEventListener("abort", stop);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}

/** Origins to which the page's Content-Security-Policy forbids connections. @type {Set<string>} */
const blockedOrigins = new Set();

globalThis.document?.addEventListener("securitypolicyviolation", ({ effectiveDirective, disposition, blockedURI }) => {
  if (effectiveDirective === "connect-src" && disposition === "enforce") blockedOrigins.add(originOf(blockedURI));
});

/** @param {string} uri a URL, or a keyword such as "self" */
function originOf(uri) {
  return URL.canParse(uri) ? new URL(uri).origin : location.origin;
}

/** @param {string} url */
async function isReachable(url) {
  const request = /** @type {const} */ ({ method: "HEAD", mode: "no-cors", cache: "no-store", credentials: "omit" });
  try {
    await fetch(new URL("/", url), { ...request, signal: AbortSignal.timeout(10_000) });
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {EventTarget} target
 * @param {string} type
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
function eventOf(target, type, signal) {
  return new Promise((resolve, reject) => {
    target.addEventListener(type, () => resolve(), { once: true, signal });
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Milliseconds after which another tab, which may be frozen, is not waited for. */
const LOCK_TIMEOUT = 5000;
/** Without Web Locks (over plain http) only the uploads of this page wait for each other. */
let last = Promise.resolve();

/**
 * @template T
 * @param {() => Promise<T>} work
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
async function withLock(work, signal) {
  /** @type {Promise<T> | undefined} */
  let result;
  const run = () => (result ??= work());
  const waiting = AbortSignal.any([signal, AbortSignal.timeout(LOCK_TIMEOUT)]);
  try {
    await (navigator.locks ? navigator.locks.request("direct-upload", { signal: waiting }, run) : inTurn(run, waiting));
  } catch {
    signal.throwIfAborted(); // otherwise the wait was too long, locks are forbidden (as in a sandbox), or the work failed
  }
  return run();
}

/**
 * @param {() => Promise<unknown>} work
 * @param {AbortSignal} waiting
 */
function inTurn(work, waiting) {
  const mine = last.then(() => (waiting.aborted ? undefined : work()));
  last = mine.then(() => undefined, () => undefined);
  return Promise.race([mine, eventOf(waiting, "abort", waiting)]);
}

/** @type {Set<string>} */
const claimed = new Set();

/**
 * @param {string} id
 * @returns {Promise<(() => void) | undefined>}
 */
async function claim(id) {
  if (claimed.has(id)) return undefined;
  claimed.add(id);
  const release = await lock(`direct-upload:${id}`);
  if (!release) claimed.delete(id);
  return release && (() => { claimed.delete(id); release(); });
}

/**
 * @param {string} name
 * @returns {Promise<(() => void) | undefined>}
 */
function lock(name) {
  if (!navigator.locks) return Promise.resolve(() => undefined);
  return new Promise((resolve) => {
    const hold = (/** @type {Lock | null} */ granted) => {
      if (!granted) return resolve(undefined);
      return new Promise((release) => resolve(() => release(undefined)));
    };
    navigator.locks.request(name, { ifAvailable: true }, hold).catch(() => resolve(() => undefined)); // forbidden
  });
}
