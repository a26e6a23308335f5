// The shapes that the modules share. Read by the type checker only; no page loads it.

import type { DirectUploadFailure } from "./engine/failure.js";
import type { Lanes } from "./engine/connection-pool.js";

/** A file as `<input type="file">` gives it, or any other piece of data. */
export type Sendable = Blob & { readonly name?: string; readonly lastModified?: number };

export type State = "starting" | "sending" | "waiting" | "paused" | "finishing";

export interface ProgressReport {
  loaded: number;
  total: number;
  state: State;
  /** Bytes per second, smoothed; 0 as long as nothing is known, and while nothing moves. */
  speed: number;
  /** Seconds, at this speed; undefined as long as nothing is known. */
  timeLeft?: number;
}

export interface RetryReport {
  failure: DirectUploadFailure;
  /** How many attempts in a row have failed. */
  attempt: number;
  /** Milliseconds until the next one. */
  delay: number;
}

export interface UploadOptions {
  onprogress?: (report: ProgressReport) => void;
  onretry?: (report: RetryReport) => void;
  signal?: AbortSignal;
  /** The name to keep, when it is not the file's own. */
  filename?: string;
  /** Where the middleware is mounted, when not above this script (a bundle, say). */
  mount?: string | URL;
  /** Where in the site this upload belongs: there it is shown when it was not finished. */
  place?: string;
  /** Attempts after which to give up when nothing moves any more; 12. */
  retries?: number;
  /** Milliseconds without progress after which a connection is cut and tried again; 30 000. */
  stall?: number;
}

export interface UploadInfo {
  id: string;
  name: string;
  filename: string;
  type: string;
  size: number;
  etag: string;
}

export interface UploadResult {
  receipt: string;
  upload: UploadInfo;
  download_url: string;
  /** What the application's `on_complete` returned. */
  data: unknown;
}

export interface Verbs {
  pause(): void;
  resume(): void;
  abort(): void;
}

/** What `for await` gives is the newest report, however slow the loop; it ends with the upload, or throws its failure. */
export interface UploadTask extends Promise<UploadResult>, AsyncIterable<ProgressReport>, Verbs {}

/** Every file's upload in one. When one fails the others go on; then the first failure is told. */
export interface UploadAllTask extends Promise<UploadResult[]>, AsyncIterable<ProgressReport>, Verbs {}

export interface UploadAllOptions extends Omit<UploadOptions, "filename"> {
  /** How many files go up at once; 3. */
  concurrency?: number;
  /** Told of each file that is finished, as soon as it is. */
  onfile?: (file: Sendable, result: UploadResult) => void;
}

/** One upload under way, or several. */
export interface Run<Result = UploadResult> extends Verbs {
  done: Promise<Result>;
  reports(): AsyncIterable<ProgressReport>;
}

/** Permission to PUT one segment, as the application gives it. */
export interface SignedSegment {
  index: number;
  offset: number;
  size: number;
  url: string;
  headers: Record<string, string>;
  expires: number;
  /** How storage takes the MD5; without it as `ETag` in hex. */
  checksum?: { header: string; encoding: "hex" | "base64" };
}

/** A ticket that takes the place of the present one, in the second half of its life. */
export interface Renewal {
  ticket?: string;
  expires?: number;
}

export interface Signed extends Renewal {
  segments: SignedSegment[];
  /** The application's clock in Unix seconds, where its answer could be asked for it. */
  clock?: number;
}

export interface Plan {
  segment_size: number;
  segment_count: number;
  parallel: number;
}

export interface Ticketed {
  id: string;
  ticket: string;
}

export interface Begun extends Plan, Ticketed, Signed {
  ticket: string;
  expires: number;
  /** What the records of whoever asked are told by. */
  owner: string;
}

export interface Stored {
  index: number;
  size: number;
  etag: string;
}

export interface Status extends Renewal {
  state: "open" | "complete";
  stored?: Stored[];
}

export interface Declared {
  index: number;
  etag: string;
}

export interface FailureDetails {
  status?: number;
  /** What the application said. */
  detail?: string;
  problem?: Problem;
  /** Of `network`: `csp` or `cors`, where the browser refuses to connect. */
  cause?: "csp" | "cors";
  /** Whether trying again may help. */
  transient?: boolean;
  /** Milliseconds that the answer asked us to wait. */
  retryAfter?: number;
}

/** An RFC 9457 problem of the application's. */
export interface Problem {
  title?: string;
  status?: number;
  detail?: string;
  code?: string;
  indexes?: number[];
  field?: string;
}

/** An upload that needs its file again. */
export interface Unfinished {
  filename: string;
  size: number;
  /** Bytes that storage has already. */
  loaded: number;
  /** Gives it up. */
  forget(): Promise<void>;
}

/** What is remembered in the browser of an upload that is not finished. */
export interface ResumeRecord extends Plan, Ticketed {
  /** Whose it is: it is found, and can be read, only with this, which is not stored with it. */
  owner: string;
  mount: string;
  fingerprint: string;
  place: string;
  expires: number;
  etags: Declared[];
}

export interface Records {
  /** Whether there are some, of anybody. */
  hasAny(): Promise<boolean>;
  /** Every unfinished upload of this owner's. */
  every(owner: string, mount: string): Promise<ResumeRecord[]>;
  /** This owner's unfinished uploads of such a file, newest first. */
  find(owner: string, mount: string, fingerprint: string): Promise<ResumeRecord[]>;
  save(record: ResumeRecord): Promise<void>;
  remove(record: ResumeRecord): Promise<void>;
}

export interface PutRequest {
  url: string;
  headers: Record<string, string>;
  body: Blob;
  signal: AbortSignal;
  onprogress: (loaded: number) => void;
}

/** `status` 0: no answer, or none that the browser lets us see. */
export interface PutAnswer {
  status: number;
  retryAfter?: string | null;
  /** When storage said so, by its own clock. */
  date?: string;
}

/** All that the engine needs of the world around it; browser.js is the real one. */
export interface Environment {
  fetch: typeof fetch;
  put(request: PutRequest): Promise<PutAnswer>;
  hash(data: Blob, signal?: AbortSignal): Promise<string>;
  /** Whether hashing is quick enough to be waited for before anything is sent. */
  hashesAhead(): boolean;
  records: Records;
  /** Whose records this page's visitor may see, by mount; as the application said last. */
  owners: Map<string, string>;
  lanes: Lanes;
  /** Milliseconds; only differences are ever used. */
  now(): number;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  random(): number;
  isOnline(): boolean;
  /** Whether the page's Content-Security-Policy has refused a connection to this URL's origin. */
  isForbidden(url: string): boolean;
  /** Whether anything answers there, even if not to us. */
  isReachable(url: string): Promise<boolean>;
  /** Tells a web developer, once, what to do about a failure's code or cause. */
  advise(about: string, url: string): void;
  /** Resolves when the network comes back. */
  backOnline(signal: AbortSignal): Promise<void>;
  /** Runs `work` while no other page of this browser runs such work. */
  alone<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Makes an upload this page's own; undefined when another one has it. */
  claim(id: string): Promise<(() => void) | undefined>;
}

/** How Uppy's files go up by way of our engine. */
export interface UppyPluginOptions extends Pick<UploadOptions, "mount" | "place" | "retries" | "stall"> {
  id?: string;
  /** How many files go up at once; 3. */
  limit?: number;
  /** A form, or a selector of one, that gets a hidden input with the receipt of each uploaded file. */
  form?: string | HTMLFormElement;
  /** What these inputs are called. */
  name?: string;
}

/** What of Uppy 6 our plugin uses. */
export interface Uppy {
  addUploader(uploader: (ids: string[]) => Promise<void>): void;
  removeUploader(uploader: (ids: string[]) => Promise<void>): void;
  emit(event: string, ...about: unknown[]): void;
  on(event: string, listener: (...about: any[]) => void): unknown;
  off(event: string, listener: (...about: any[]) => void): unknown;
  getFile(id: string): UppyFile;
  getFiles(): UppyFile[];
  getFilesByIds(ids: string[]): UppyFile[];
  getState(): { capabilities: object };
  setFileMeta(id: string, meta: object): void;
  setState(state: object): void;
}

export interface UppyFile {
  id: string;
  data?: Blob | { size: number | null };
  meta: { name: string };
  error?: string | null;
  isPaused?: boolean;
  isRestored?: boolean;
  progress: { uploadStarted?: number | null; uploadComplete?: boolean };
  response?: { body?: Record<string, unknown> };
}

/** What Uppy 6 asks of a plugin that uploads. */
export interface UppyPlugin {
  readonly id: string;
  readonly type: string;
  install(): void;
  uninstall(): void;
  update(): void;
  setOptions(opts: object): void;
}
