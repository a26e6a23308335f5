/** @import { Environment, Plan, Sendable } from "../types.d.ts" */
import { DirectUploadFailure } from "./failure.js";

const EDGE = 64 * 1024;

/** The file being sent, which must stay what it was when it was chosen. */
export class Source {
  #file;
  #hash;
  #lastModified;
  #fingerprint = "";

  /**
   * @param {Sendable} file
   * @param {Pick<Environment, "hash">} env
   * @param {string} [filename]
   */
  constructor(file, { hash }, filename) {
    this.#file = file;
    this.#hash = hash;
    this.#lastModified = file.lastModified;
    this.filename = filename ?? file.name ?? "blob";
    this.size = file.size;
    this.type = file.type;
  }

  /**
   * What a fingerprint tells of its file.
   * @param {string} fingerprint
   */
  static recall(fingerprint) {
    const [filename, size] = JSON.parse(fingerprint);
    return { filename: String(filename), size: Number(size) };
  }

  /** What `begin` is told. */
  get description() {
    return { filename: this.filename, size: this.size, type: this.type };
  }

  /**
   * @param {number} index
   * @param {Plan} plan
   */
  segment(index, { segment_size }) {
    this.#compare();
    return this.#file.slice(index * segment_size, Math.min(this.size, (index + 1) * segment_size));
  }

  /**
   * Tells this file from others, and from itself when it was changed, without reading all of it.
   * @param {AbortSignal} signal
   */
  async fingerprint(signal) {
    const ends = new Blob([this.#file.slice(0, EDGE), this.#file.slice(-EDGE)]);
    const md5 = await this.#hash(ends, signal);
    return (this.#fingerprint = JSON.stringify([this.filename, this.size, this.#lastModified ?? 0, md5]));
  }

  /**
   * Fails with `file-changed` when the file is gone or another.
   * @param {AbortSignal} signal
   */
  async check(signal) {
    this.#compare();
    const before = this.#fingerprint;
    if (before !== (await this.fingerprint(signal))) throw new DirectUploadFailure("file-changed");
  }

  #compare() {
    const { size, lastModified } = this.#file;
    if (size !== this.size || lastModified !== this.#lastModified) throw new DirectUploadFailure("file-changed");
  }
}
