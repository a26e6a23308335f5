// What the next user of a shared computer finds of a resume record: that there is one, and until when.
/** @import { ResumeRecord } from "./types.d.ts" */

/**
 * A record as it is stored.
 * @typedef {{ id: IDBValidKey, owner: string, file: IDBValidKey, expires: number, content: unknown }} Row
 */

/** Contents are filled up to a power of two from here, so that their length does not tell the file's. */
const SMALLEST = 1024;
const IV = 12;

/**
 * Locks the records of one owner. What the application calls the owner is half name and half key: the name is stored
 * with the record, and the key nowhere. Over plain http, where browsers have no cryptography to offer, records
 * are found by the name, and not locked.
 */
export class Locker {
  #keys;

  /** @param {string} owner */
  constructor(owner) {
    this.name = owner.slice(0, 32);
    this.#keys = globalThis.crypto?.subtle && derive(owner.slice(32));
  }

  /**
   * @param {ResumeRecord} record
   * @returns {Promise<Row>}
   */
  async lock({ owner: _, ...record }) {
    const { expires, mount, fingerprint } = record;
    const text = JSON.stringify(record); // as it is now
    const [id, file] = await Promise.all([this.hide(record.id), this.file(mount, fingerprint)]);
    return { id, owner: this.name, file, expires, content: await this.#encrypted(text) };
  }

  /**
   * @param {Row} row
   * @returns {Promise<Omit<ResumeRecord, "owner">>}
   */
  async unlock({ content }) {
    return JSON.parse(await this.#decrypted(content));
  }

  /**
   * What the records of a file are found by.
   * @param {string} mount
   * @param {string} fingerprint
   */
  file(mount, fingerprint) {
    return this.hide(mount + fingerprint);
  }

  /**
   * The same for the same text, and telling nothing of it to others.
   * @param {string} text
   * @returns {Promise<IDBValidKey>}
   */
  async hide(text) {
    const keys = await this.#keys;
    return keys ? crypto.subtle.sign("HMAC", keys.names, encode(text)) : text;
  }

  /** @param {string} text */
  async #encrypted(text) {
    const keys = await this.#keys;
    if (!keys) return text;
    const iv = crypto.getRandomValues(new Uint8Array(IV));
    const size = 2 ** Math.ceil(Math.log2(Math.max(SMALLEST, text.length)));
    const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, keys.contents, encode(text.padEnd(size)));
    return { iv, data };
  }

  /** @param {any} content */
  async #decrypted(content) {
    const keys = await this.#keys;
    if (!keys) return content;
    return new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv: content.iv }, keys.contents, content.data));
  }
}

/** @param {string} secret */
async function derive(secret) {
  const source = await crypto.subtle.importKey("raw", encode(secret), "HKDF", false, ["deriveKey"]);
  const way = (/** @type {string} */ info) => ({ name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encode(info) });
  const [names, contents] = await Promise.all([
    crypto.subtle.deriveKey(way("names"), source, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]),
    crypto.subtle.deriveKey(way("contents"), source, { name: "AES-GCM", length: 128 }, false, ["encrypt", "decrypt"]),
  ]);
  return { names, contents };
}

/** @param {string} text */
function encode(text) {
  return new TextEncoder().encode(text);
}
