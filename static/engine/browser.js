// What the engine needs of the world, as a browser has it.
/** @import { Environment } from "../types.d.ts" */
import { HashPool } from "../hashing/hash-pool.js";
import { Lanes } from "./connection-pool.js";
import { put } from "./put.js";

const hashers = new HashPool(
  Math.min(4, globalThis.navigator?.hardwareConcurrency || 2),
  () => new Worker(new URL("../hashing/hash-worker.js", import.meta.url), { type: "module" }),
);

/** Comes beside the engine, which works without; then uploads only cannot be taken up again. */
const records = import("../resume/records.js").then(({ IndexedDbRecords }) => new IndexedDbRecords(), () => undefined);

/** @type {Environment} */
export const browser = {
  fetch: (...request) => fetch(...request),
  put,
  hash: (data, signal) => hashers.hash(data, signal),
  hashesAhead: () => hashers.hasWorkers,
  records: /** @type {Environment["records"]} */ (new Proxy({}, {
    get: (_, /** @type {keyof Environment["records"]} */ verb) => async (/** @type {any} */ ...about) =>
      (await records)?.[verb](.../** @type {[any, any, any]} */ (about)),
  })),
  owners: new Map(),
  lanes: new Lanes(),
  now: () => Date.now(), // goes on while the computer sleeps, which performance.now() need not
  sleep,
  random: Math.random,
  isOnline: () => navigator.onLine,
  isForbidden: (url) => forbidden.has(new URL(url).origin),
  isReachable,
  advise,
  backOnline: (signal) => happened(window, "online", signal),
  alone,
  claim,
};

/**
 * What only failures need comes when there is one.
 * @type {Environment["advise"]}
 */
async function advise(about, url) {
  const advice = await import("./developer-advice.js").catch(() => undefined); // it may be the network that fails
  advice?.advise(about, url);
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

/** Origins that the page's policy does not let us connect to. @type {Set<string>} */
const forbidden = new Set();

globalThis.document?.addEventListener("securitypolicyviolation", ({ effectiveDirective, disposition, blockedURI }) => {
  if (effectiveDirective === "connect-src" && disposition === "enforce") forbidden.add(originOf(blockedURI));
});

/** @param {string} uri as an event tells it, which may be only a word */
function originOf(uri) {
  return URL.canParse(uri) ? new URL(uri).origin : location.origin;
}

/** @param {string} url */
async function isReachable(url) {
  const question = /** @type {const} */ ({ method: "HEAD", mode: "no-cors", cache: "no-store", credentials: "omit" });
  try {
    await fetch(new URL("/", url), { ...question, signal: AbortSignal.timeout(10_000) });
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
function happened(target, type, signal) {
  return new Promise((resolve, reject) => {
    target.addEventListener(type, () => resolve(), { once: true, signal });
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** Where there are no locks (they need https, or localhost) at least the uploads of this page wait for each other. */
let last = Promise.resolve();

/**
 * @template T
 * @param {() => Promise<T>} work
 * @param {AbortSignal} signal
 * @returns {Promise<T>}
 */
async function alone(work, signal) {
  if (navigator.locks) return /** @type {Promise<any>} */ (navigator.locks.request("direct-upload", { signal }, work));
  const mine = last.then(work);
  last = mine.then(() => undefined, () => undefined);
  return mine;
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
  const free = await lock(`direct-upload:${id}`);
  if (!free) claimed.delete(id);
  return free && (() => { claimed.delete(id); free(); });
}

/**
 * @param {string} name
 * @returns {Promise<(() => void) | undefined>}
 */
function lock(name) {
  if (!navigator.locks) return Promise.resolve(() => undefined);
  return new Promise((resolve, reject) => {
    const hold = (/** @type {Lock | null} */ granted) => {
      if (!granted) return resolve(undefined);
      return new Promise((release) => resolve(() => release(undefined)));
    };
    navigator.locks.request(name, { ifAvailable: true }, hold).catch(reject);
  });
}
