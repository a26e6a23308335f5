/** @import { Records, ResumeRecord } from "./types.d.ts" */

const STORE = "uploads";
/** A record outlives its ticket by a day, in case this browser's clock is wrong. */
const SLACK = 86_400;

/**
 * Resume records in IndexedDB. Where a browser refuses it (a private window, a full disk) uploads work,
 * and only cannot be taken up again: so nothing here ever fails.
 * @implements {Records}
 */
export class IndexedDbRecords {
  /** @type {Promise<IDBDatabase> | undefined} */
  #opening;

  /**
   * @param {string} mount
   * @param {string} fingerprint
   * @returns {Promise<ResumeRecord[]>}
   */
  async find(mount, fingerprint) {
    const found = (await this.#use("readonly", (store) => store.index("fingerprint").getAll(fingerprint))) ?? [];
    const mine = found.filter((/** @type {ResumeRecord} */ record) => record.mount === mount);
    return mine.sort((/** @type {ResumeRecord} */ one, /** @type {ResumeRecord} */ other) => other.expires - one.expires);
  }

  /**
   * @param {string} mount
   * @returns {Promise<ResumeRecord[]>}
   */
  async every(mount) {
    const all = (await this.#use("readonly", (store) => store.getAll())) ?? [];
    return all.filter((/** @type {ResumeRecord} */ record) => record.mount === mount);
  }

  /** @param {ResumeRecord} record */
  async save(record) {
    const copy = structuredClone(record); // as it is now: the database may have to be opened first
    await this.#use("readwrite", (store) => store.put(copy));
  }

  /** @param {string} id */
  async remove(id) {
    await this.#use("readwrite", (store) => store.delete(id));
  }

  /**
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest} action
   */
  async #use(mode, action) {
    try {
      const database = await (this.#opening ??= this.#open());
      // "strict", or what was saved last is lost when the browser is killed.
      const transaction = database.transaction(STORE, mode, { durability: "strict" });
      const request = action(transaction.objectStore(STORE));
      await ended(transaction);
      return request.result;
    } catch {
      return undefined;
    }
  }

  /** @returns {Promise<IDBDatabase>} */
  async #open() {
    const request = indexedDB.open("direct-upload", 1);
    request.onupgradeneeded = () => {
      const store = request.result.createObjectStore(STORE, { keyPath: "id" });
      store.createIndex("fingerprint", "fingerprint");
      store.createIndex("expires", "expires");
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
