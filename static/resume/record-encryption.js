// What the next user of a shared computer finds of a resume record: that there is one, and until when.
/** @import { ResumeRecord } from "../types.d.ts" */

/**
 * A record as it is stored.
 * @typedef {{ id: IDBValidKey, owner: string, file: IDBValidKey, expires: number, content: any }} Row
 */

/** Contents are filled up to a power of two from here, so that their length does not tell the file's. */
const SMALLEST = 1024;
const BLANK = 32;
const { subtle } = globalThis.crypto ?? {};

/**
 * Locks the records of one owner. What the application calls the owner is half name and half secret: the name is stored
 * with the record, and the secret nowhere. Over plain http, where browsers have no cryptography to offer, records
 * are found by the name, and not locked.
 */
export class Locker {
  #secret;
  /** @type {Promise<CryptoKey> | undefined} */
  #made;

  /** @param {string} owner */
  constructor(owner) {
    this.name = owner.slice(0, 32);
    this.#secret = owner.slice(32);
  }

  /**
   * @param {ResumeRecord} record
   * @returns {Promise<Row>}
   */
  async lock({ owner: _, ...record }) {
    const { expires, mount, fingerprint } = record;
    const text = JSON.stringify(record); // as it is now
    const [id, file] = await Promise.all([this.hide(record.id), this.hide(mount + fingerprint)]);
    return { id, owner: this.name, file, expires, content: subtle ? await this.#encrypted(text) : text };
  }

  /**
   * @param {Row} row
   * @returns {Promise<Omit<ResumeRecord, "owner">>}
   */
  async unlock({ content }) {
    return JSON.parse(subtle ? await this.#decrypted(content) : content);
  }

  /**
   * The same for the same text, and telling others nothing of it.
   * @param {string} text
   * @returns {Promise<IDBValidKey>}
   */
  async hide(text) {
    return subtle ? subtle.digest("SHA-256", encode(this.#secret + text)) : text;
  }

  /** @param {string} text */
  async #encrypted(text) {
    const bytes = encode(text);
    const filled = new Uint8Array(2 ** Math.ceil(Math.log2(Math.max(SMALLEST, bytes.length)))).fill(BLANK);
    filled.set(bytes);
    const iv = crypto.getRandomValues(new Uint8Array(12));
    return { iv, data: await subtle.encrypt({ name: "AES-GCM", iv }, await this.#aes, filled) };
  }

  /** @param {{ iv: Uint8Array<ArrayBuffer>, data: ArrayBuffer }} content */
  async #decrypted({ iv, data }) {
    return new TextDecoder().decode(await subtle.decrypt({ name: "AES-GCM", iv }, await this.#aes, data));
  }

  get #aes() {
    return (this.#made ??= keyOf(this.#secret));
  }
}

/** @param {string} secret */
async function keyOf(secret) {
  const bytes = await subtle.digest("SHA-256", encode(secret));
  return subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** @param {string} text */
function encode(text) {
  return new TextEncoder().encode(text);
}
