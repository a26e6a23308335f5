/** @import { Environment, Plan, Sendable } from "../types.d.ts" */
import { DirectUploadFailure } from "../engine/failure.js";

/** Milliseconds: a modification time this close to now may be the present time, which some browsers return instead. */
const RECENT = 2000;
/** Bytes at each end of the file that are part of its fingerprint. */
const EDGE = 64 * 1024;

/** The file that is uploaded. It must not change during the upload. */
export class FileSource {
  #file;
  #hash;
  #lastModified;
  #fingerprint = "";
  /** @type {Promise<string> | undefined} */
  #first;
  #edges = "";

  /**
   * @param {Sendable} file
   * @param {Pick<Environment, "hash" | "now">} env
   * @param {string} [filename]
   */
  constructor(file, { hash, now }, filename) {
    this.#file = file;
    this.#hash = hash;
    const { lastModified } = file;
    const isReliable = lastModified !== undefined && Math.abs(lastModified - now()) > RECENT;
    this.#lastModified = isReliable ? lastModified : undefined;
    this.filename = filename ?? file.name ?? "blob";
    this.size = file.size;
    this.type = file.type;
  }

  /** The body of the begin request. */
  get description() {
    return { filename: this.filename, size: this.size, type: this.type };
  }

  /**
   * @param {number} index
   * @param {Plan} plan
   */
  segment(index, { segment_size }) {
    this.#checkMetadata();
    return this.#file.slice(index * segment_size, Math.min(this.size, (index + 1) * segment_size));
  }

  /**
   * Return a string that identifies this file and its content without reading all of it.
   * @param {AbortSignal} signal
   */
  fingerprint(signal) {
    const reading = this.#read(signal);
    this.#first ??= reading;
    return reading;
  }

  /** @param {AbortSignal} signal */
  async #read(signal) {
    const ends = new Blob([this.#file.slice(0, EDGE), this.#file.slice(-EDGE)]);
    this.#edges = await this.#hash(ends, signal);
    if (!this.#fingerprint && this.#file.lastModified !== this.#lastModified) this.#lastModified = undefined; // no constant
    return (this.#fingerprint = this.#format(this.#lastModified ?? 0));
  }

  /** The fingerprint, and the one that the file had if it was uploaded right after it was modified. */
  get fingerprints() {
    return new Set([this.#fingerprint, this.#format(0)]);
  }

  /** @param {number} lastModified */
  #format(lastModified) {
    return JSON.stringify([this.filename, this.size, lastModified, this.#edges]);
  }

  /**
   * Throw `file-changed` when the file was changed or removed.
   * @param {AbortSignal} signal
   */
  async check(signal) {
    this.#checkMetadata();
    await this.#first;
    const before = this.#fingerprint;
    if (before !== (await this.fingerprint(signal))) throw new DirectUploadFailure("file-changed");
  }

  #checkMetadata() {
    const { size, lastModified } = this.#file;
    const isNewer = this.#lastModified !== undefined && lastModified !== this.#lastModified;
    if (size !== this.size || isNewer) throw new DirectUploadFailure("file-changed");
  }
}

/**
 * Return the file's name and size, which are part of its fingerprint.
 * @param {string} fingerprint
 */
export function parseFingerprint(fingerprint) {
  const [filename, size] = JSON.parse(fingerprint);
  return { filename: String(filename), size: Number(size) };
}
