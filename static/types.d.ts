// Types that the modules share. Only the type checker of this project reads this file. Pages do not load it, and the npm
// package does not contain it: what applications use is in direct-upload.d.ts and uppy.d.ts.

import type { Batches } from "./engine/batches.js";
import type { ConnectionPool } from "./transfer/connection-pool.js";
import type { ProgressReport, UploadControls, UploadResult } from "./direct-upload.d.ts";

export type {
  FailureDetails,
  Problem,
  ProgressReport,
  RetryReport,
  Sendable,
  State,
  UploadAllOptions,
  UploadAllTask,
  UploadControls,
  UploadInfo,
  UploadOptions,
  UploadResult,
  UploadTask,
} from "./direct-upload.d.ts";
export type { UppyPluginOptions } from "./uppy.d.ts";

/** A text for users: one, or one for each plural category of the number `count`. */
export type Text = string | Partial<Record<Intl.LDMLPluralRule, string>>;

/** A running upload, or several. */
export interface UploadRun<Result = UploadResult> extends UploadControls {
  done: Promise<Result>;
  reports(): AsyncIterable<ProgressReport>;
}

/** A presigned request that uploads one segment. */
export interface SignedSegment {
  index: number;
  offset: number;
  size: number;
  url: string;
  headers: Record<string, string>;
  expires: number;
  /** The header that takes the segment's MD5; without it, `ETag` in hex. */
  checksum?: { header: string; encoding: "hex" | "base64" };
}

/** A new ticket that replaces the present one, sent after half of its lifetime. */
export interface RenewedTicket {
  ticket?: string;
  expires?: number;
}

export interface SignAnswer extends RenewedTicket {
  segments: SignedSegment[];
  /** The application's clock in Unix seconds; undefined when another origin hides it. */
  clock?: number;
}

export interface Plan {
  segment_size: number;
  segment_count: number;
  parallel: number;
}

export interface UploadTicket {
  id: string;
  ticket: string;
}

export interface BeginAnswer extends Plan, UploadTicket, SignAnswer {
  ticket: string;
  expires: number;
  /** The `Upload-Owner` header, by which the visitor's resume records are found and read. */
  owner: string;
}

export interface FileDescription {
  filename: string;
  size: number;
  type: string;
}

/** An item of a batch that completes uploads. */
export interface CompleteItem extends UploadTicket {
  segments: SegmentEtag[];
}

export interface StoredSegment {
  index: number;
  size: number;
  etag: string;
}

export interface StatusAnswer extends RenewedTicket {
  state: "open" | "complete";
  stored?: StoredSegment[];
}

export interface SegmentEtag {
  index: number;
  etag: string;
}

/** An unfinished upload, which is resumed when its file is chosen again. */
export interface Unfinished {
  filename: string;
  size: number;
  /** Bytes in storage. */
  loaded: number;
  abort(): Promise<void>;
}

/** What the browser keeps to resume an upload. */
export interface ResumeRecord extends Plan, UploadTicket {
  /** The visitor's `Upload-Owner`, which is needed to find and decrypt the record. Its second half is not stored. */
  owner: string;
  mount: string;
  fingerprint: string;
  place: string;
  expires: number;
  etags: SegmentEtag[];
}

export interface Records {
  /** Whether there are records of any owner. */
  hasAny(): Promise<boolean>;
  /** Return the owner's records. */
  all(owner: string, mount: string): Promise<ResumeRecord[]>;
  /** Return the owner's records of a file, newest first. */
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

/** Status 0 means no answer, or one that the browser hides. */
export interface PutAnswer {
  status: number;
  retryAfter?: string | null;
  /** Storage's clock at the time of the answer. */
  date?: string;
}

/** Everything that the engine needs from its surroundings; browser.js has the real one. */
export interface Environment {
  fetch: typeof fetch;
  put(request: PutRequest): Promise<PutAnswer>;
  hash(data: Blob, signal?: AbortSignal): Promise<string>;
  /** Whether hashing is fast enough to wait for it before a segment is sent. */
  hasHashWorkers(): boolean;
  records: Records;
  /** The latest `Upload-Owner` of each mount. */
  owners: Map<string, string>;
  /** Mounts to which this browser has returned the cookie. */
  verifiedMounts: Set<string>;
  /** The checks under way whether this browser returns the cookie of a mount: what the application refused, if it did. */
  cookieChecks: Map<string, Promise<unknown>>;
  connections: ConnectionPool;
  /** The requests for several uploads at once, by mount. */
  batches: Map<string, Batches>;
  /** When the cookie of each mount may expire. */
  cookies: Map<string, number>;
  /** Milliseconds; only differences are used. */
  now(): number;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** Resolves when the page has done what it is about to do. */
  nextTask(): Promise<void>;
  random(): number;
  isOnline(): boolean;
  /** Whether the page's Content-Security-Policy has refused a connection to this URL's origin. */
  isBlockedByCsp(url: string): boolean;
  /** Whether this URL has another origin than the page. */
  isCrossOrigin(url: string): boolean;
  /** Whether a server answers at this URL's origin, even if CORS hides the answer. */
  isReachable(url: string): Promise<boolean>;
  /** Log once what a web developer has to do about a failure's code or cause. */
  advise(topic: string, url: string): void;
  /** Resolves when the network is back. */
  whenOnline(signal: AbortSignal): Promise<void>;
  /** Run `work` while no other page of this browser runs such work. */
  withLock<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Claim an upload for this page and return its release; undefined when another page has claimed it. */
  claim(id: string): Promise<(() => void) | undefined>;
}

/** The part of Uppy 6 that the plugin uses. */
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

/** The interface of an Uppy 6 uploader plugin. */
export interface UppyPlugin {
  readonly id: string;
  readonly type: string;
  install(): void;
  uninstall(): void;
  update(): void;
  setOptions(opts: object): void;
}
