/** @import { Records, ResumeRecord } from "../types.d.ts" */
/** @import { Row } from "./record-encryption.js" */
import { Locker } from "./record-encryption.js";

const STORE = "uploads";
/** A record outlives its ticket by a day, in case this browser's clock is wrong. */
const SLACK = 86_400;
/** Milliseconds after which nobody waits any more for a database that does not answer, as WebKit's does at times. */
const PATIENCE = 5000;

/**
 * Resume records in IndexedDB, each locked for its owner. Where a browser refuses it (a private window, a full disk)
 * uploads work, and only cannot be taken up again: so nothing here ever fails.
 * @implements {Records}
 */
export class IndexedDbRecords {
  /** @type {Promise<IDBDatabase> | undefined} */
  #opening;
  #isSilent = false;
  /** @type {Map<string, Locker>} */
  #lockers = new Map();
  /** What is written later is stored later, however long its locking takes. */
  #writing = Promise.resolve();

  async hasAny() {
    return !!(await this.#use("readonly", (store) => store.count()));
  }

  /**
   * @param {string} owner
   * @param {string} mount
   * @param {string} fingerprint
   * @returns {Promise<ResumeRecord[]>}
   */
  async find(owner, mount, fingerprint) {
    const file = await this.#locker(owner).hide(mount + fingerprint);
    const found = await this.#unlocked(owner, (store) => store.index("file").getAll(file));
    return found.sort((one, other) => other.expires - one.expires);
  }

  /**
   * @param {string} owner
   * @param {string} mount
   * @returns {Promise<ResumeRecord[]>}
   */
  async every(owner, mount) {
    const all = await this.#unlocked(owner, (store) => store.index("owner").getAll(this.#locker(owner).name));
    return all.filter((record) => record.mount === mount);
  }

  /** @param {ResumeRecord} record */
  save(record) {
    const locked = this.#locker(record.owner).lock(record);
    return this.#write(async () => {
      const row = await locked;
      await this.#use("readwrite", (store) => store.put(row));
    });
  }

  /** @param {ResumeRecord} record */
  remove({ owner, id }) {
    return this.#write(async () => {
      const hidden = await this.#locker(owner).hide(id);
      await this.#use("readwrite", (store) => store.delete(hidden));
    });
  }

  /** @param {string} owner */
  #locker(owner) {
    const locker = this.#lockers.get(owner) ?? new Locker(owner);
    this.#lockers.set(owner, locker);
    return locker;
  }

  /** @param {() => Promise<void>} work */
  #write(work) {
    this.#writing = this.#writing.then(work);
    return this.#writing;
  }

  /**
   * @param {string} owner
   * @param {(store: IDBObjectStore) => IDBRequest<Row[]>} query
   * @returns {Promise<ResumeRecord[]>}
   */
  async #unlocked(owner, query) {
    const rows = /** @type {Row[]} */ ((await this.#use("readonly", query)) ?? []);
    const locker = this.#locker(owner);
    const records = await Promise.all(rows.map((row) => locker.unlock(row).catch(() => undefined))); // it was damaged
    return records.filter((record) => record !== undefined).map((record) => ({ ...record, owner }));
  }

  /**
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest} action
   */
  async #use(mode, action) {
    if (this.#isSilent) return undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const tooLate = new Promise((resolve) => {
      timer = setTimeout(() => {
        this.#isSilent = true;
        resolve(undefined);
      }, PATIENCE);
    });
    const answer = this.#ask(mode, action).catch(() => undefined).finally(() => {
      clearTimeout(timer);
      this.#isSilent = false;
    });
    return /** @type {Promise<any>} */ (Promise.race([answer, tooLate]));
  }

  /**
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest} action
   */
  async #ask(mode, action) {
    const database = await (this.#opening ??= this.#open());
    // "strict", or what was saved last is lost when the browser is killed.
    const transaction = database.transaction(STORE, mode, { durability: "strict" });
    const request = action(transaction.objectStore(STORE));
    await ended(transaction);
    return request.result;
  }

  /** @returns {Promise<IDBDatabase>} */
  async #open() {
    const request = indexedDB.open("direct-upload", 2);
    request.onupgradeneeded = () => {
      const { result } = request;
      if (result.objectStoreNames.contains(STORE)) result.deleteObjectStore(STORE); // its records were not locked
      const store = result.createObjectStore(STORE, { keyPath: "id" });
      for (const name of ["file", "owner", "expires"]) store.createIndex(name, name);
    };
    const database = await answered(request);
    database.onversionchange = () => database.close();
    database.onclose = () => { this.#opening = undefined; };
    await prune(database);
    return database;
  }
}

/** @param {IDBDatabase} database */
async function prune(database) {
  const transaction = database.transaction(STORE, "readwrite");
  const expired = IDBKeyRange.upperBound(Date.now() / 1000 - SLACK);
  const cursors = transaction.objectStore(STORE).index("expires").openCursor(expired);
  cursors.onsuccess = () => {
    cursors.result?.delete();
    cursors.result?.continue();
  };
  await ended(transaction);
}

/** @param {IDBTransaction} transaction */
function ended(transaction) {
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
function answered(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
