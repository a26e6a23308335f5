/** @import { Records, ResumeRecord } from "../types.d.ts" */
/** @import { Row } from "./record-encryption.js" */
import { RecordEncryption } from "./record-encryption.js";

const STORE = "uploads";
/** Seconds that a record is kept after its ticket has expired, in case this browser's clock is wrong. */
const GRACE = 86_400;
/** Milliseconds to wait for a database that does not answer, as WebKit's sometimes. */
const TIMEOUT = 5000;

/**
 * Resume records in IndexedDB, each encrypted for its owner. Where the browser has no IndexedDB (a private window, a full
 * disk) uploads work but cannot be resumed: so no method here ever fails.
 * @implements {Records}
 */
export class IndexedDbRecords {
  /** @type {Promise<IDBDatabase> | undefined} */
  #opening;
  #hasTimedOut = false;
  /** @type {Map<string, RecordEncryption>} */
  #encryptions = new Map();
  /** Writes that wait for the next transaction: one for all that come while another is in progress. */
  /** @type {Promise<(store: IDBObjectStore) => IDBRequest>[]} */
  #waiting = [];
  /** @type {Promise<void> | undefined} */
  #next;
  /** Keeps writes in order, since encryption may take long. */
  #writing = Promise.resolve();
  /** @type {Promise<boolean> | undefined} */
  #counting;

  hasAny() {
    this.#counting ??= this.#use("readonly", (store) => store.count()).then(Boolean).finally(() => {
      this.#counting = undefined;
    });
    return this.#counting;
  }

  /**
   * @param {string} owner
   * @param {string} mount
   * @param {string} fingerprint
   * @returns {Promise<ResumeRecord[]>}
   */
  async find(owner, mount, fingerprint) {
    const file = await this.#encryption(owner).hash(mount + fingerprint);
    const found = await this.#decrypted(owner, (store) => store.index("file").getAll(file));
    return found.sort((one, other) => other.expires - one.expires);
  }

  /**
   * @param {string} owner
   * @param {string} mount
   * @returns {Promise<ResumeRecord[]>}
   */
  async all(owner, mount) {
    const records = await this.#decrypted(owner, (store) => store.index("owner").getAll(this.#encryption(owner).name));
    return records.filter((record) => record.mount === mount);
  }

  /** @param {ResumeRecord} record */
  save(record) {
    return this.#write(this.#encryption(record.owner).encrypt(record).then((row) => (store) => store.put(row)));
  }

  /** @param {ResumeRecord} record */
  remove({ owner, id }) {
    return this.#write(this.#encryption(owner).hash(id).then((key) => (store) => store.delete(key)));
  }

  /** @param {string} owner */
  #encryption(owner) {
    const encryption = this.#encryptions.get(owner) ?? new RecordEncryption(owner);
    this.#encryptions.set(owner, encryption);
    return encryption;
  }

  /** @param {Promise<(store: IDBObjectStore) => IDBRequest>} action */
  #write(action) {
    this.#waiting.push(action);
    this.#next ??= this.#writing = this.#writing.then(() => this.#writeAll());
    return this.#next;
  }

  async #writeAll() {
    this.#next = undefined;
    const [first, ...others] = await Promise.all(this.#waiting.splice(0));
    await this.#use("readwrite", (store) => others.reduce((_, action) => action(store), first(store)));
  }

  /**
   * @param {string} owner
   * @param {(store: IDBObjectStore) => IDBRequest<Row[]>} query
   * @returns {Promise<ResumeRecord[]>}
   */
  async #decrypted(owner, query) {
    const rows = /** @type {Row[]} */ ((await this.#use("readonly", query)) ?? []);
    const encryption = this.#encryption(owner);
    const records = await Promise.all(rows.map((row) => encryption.decrypt(row).catch(() => undefined))); // damaged
    return records.filter((record) => record !== undefined).map((record) => ({ ...record, owner }));
  }

  /**
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest} action
   */
  async #use(mode, action) {
    if (this.#hasTimedOut) return undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const timeout = new Promise((resolve) => {
      timer = setTimeout(() => {
        this.#hasTimedOut = true;
        resolve(undefined);
      }, TIMEOUT);
    });
    const answer = this.#request(mode, action).catch(() => undefined).finally(() => {
      clearTimeout(timer);
      this.#hasTimedOut = false;
    });
    return /** @type {Promise<any>} */ (Promise.race([answer, timeout]));
  }

  /**
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest} action
   */
  async #request(mode, action) {
    const database = await (this.#opening ??= this.#open());
    // "strict": otherwise the last record is lost when the browser is killed.
    const transaction = database.transaction(STORE, mode, { durability: "strict" });
    const request = action(transaction.objectStore(STORE));
    await completed(transaction);
    return request.result;
  }

  /** @returns {Promise<IDBDatabase>} */
  async #open() {
    const request = indexedDB.open("direct-upload", 2);
    request.onupgradeneeded = () => {
      const { result } = request;
      if (result.objectStoreNames.contains(STORE)) result.deleteObjectStore(STORE); // version 1 was not encrypted
      const store = result.createObjectStore(STORE, { keyPath: "id" });
      for (const name of ["file", "owner", "expires"]) store.createIndex(name, name);
    };
    const database = await resultOf(request);
    database.onversionchange = () => database.close();
    database.onclose = () => { this.#opening = undefined; };
    await prune(database);
    return database;
  }
}

/** @param {IDBDatabase} database */
async function prune(database) {
  const transaction = database.transaction(STORE, "readwrite");
  const expired = IDBKeyRange.upperBound(Date.now() / 1000 - GRACE);
  const cursors = transaction.objectStore(STORE).index("expires").openCursor(expired);
  cursors.onsuccess = () => {
    cursors.result?.delete();
    cursors.result?.continue();
  };
  await completed(transaction);
}

/** @param {IDBTransaction} transaction */
function completed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function resultOf(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
