// Encryption of resume records. The next user of a shared computer sees only that a record exists, and when it expires.
/** @import { ResumeRecord } from "../types.d.ts" */

/**
 * A record as it is stored.
 * @typedef {{ id: IDBValidKey, owner: string, file: IDBValidKey, expires: number, content: any }} Row
 */

/** Contents are padded to a power of two of at least this size, so that the length does not reveal the file's size. */
const MINIMUM_SIZE = 1024;
const PADDING = 32;
const { subtle } = globalThis.crypto ?? {};

/**
 * Encrypts the records of one owner. The first half of `Upload-Owner` is the name that is stored with a record; the
 * second half is the secret that encrypts it, and is never stored. Over plain http browsers have no Web Crypto: records
 * are found by name and are not encrypted.
 */
export class RecordEncryption {
  #secret;
  /** @type {Promise<CryptoKey> | undefined} */
  #cachedKey;

  /** @param {string} owner */
  constructor(owner) {
    this.name = owner.slice(0, 32);
    this.#secret = owner.slice(32);
  }

  /**
   * @param {ResumeRecord} record
   * @returns {Promise<Row>}
   */
  async encrypt({ owner: _, ...record }) {
    const { expires, mount, fingerprint } = record;
    const text = JSON.stringify(record); // before the first await: the record may change
    const [id, file] = await Promise.all([this.hash(record.id), this.hash(mount + fingerprint)]);
    return { id, owner: this.name, file, expires, content: subtle ? await this.#encryptText(text) : text };
  }

  /**
   * @param {Row} row
   * @returns {Promise<Omit<ResumeRecord, "owner">>}
   */
  async decrypt({ content }) {
    return JSON.parse(subtle ? await this.#decryptText(content) : content);
  }

  /**
   * Return a keyed hash of the text, to find a record without revealing its file.
   * @param {string} text
   * @returns {Promise<IDBValidKey>}
   */
  async hash(text) {
    return subtle ? subtle.digest("SHA-256", encode(this.#secret + text)) : text;
  }

  /** @param {string} text */
  async #encryptText(text) {
    const bytes = encode(text);
    const padded = new Uint8Array(2 ** Math.ceil(Math.log2(Math.max(MINIMUM_SIZE, bytes.length)))).fill(PADDING);
    padded.set(bytes);
    const iv = crypto.getRandomValues(new Uint8Array(12));
    return { iv, data: await subtle.encrypt({ name: "AES-GCM", iv }, await this.#key, padded) };
  }

  /** @param {{ iv: Uint8Array<ArrayBuffer>, data: ArrayBuffer }} content */
  async #decryptText({ iv, data }) {
    return new TextDecoder().decode(await subtle.decrypt({ name: "AES-GCM", iv }, await this.#key, data));
  }

  get #key() {
    return (this.#cachedKey ??= importKey(this.#secret));
  }
}

/** @param {string} secret */
async function importKey(secret) {
  const bytes = await subtle.digest("SHA-256", encode(secret));
  return subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** @param {string} text */
function encode(text) {
  return new TextEncoder().encode(text);
}
