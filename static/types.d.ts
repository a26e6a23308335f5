// The shapes that the modules share. Read by the type checker only; no page loads it.

import type { DirectUploadFailure } from "./failure.js";
import type { Lanes } from "./lanes.js";

/** A file as `<input type="file">` gives it, or any other piece of data. */
export type Sendable = Blob & { readonly name?: string; readonly lastModified?: number };

export type State = "starting" | "sending" | "waiting" | "paused" | "finishing";

export interface ProgressReport {
  loaded: number;
  total: number;
  state: State;
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

export interface UploadTask extends Promise<UploadResult> {
  pause(): void;
  resume(): void;
  abort(): void;
}

/** One upload under way. */
export interface Run {
  done: Promise<UploadResult>;
  pause(): void;
  resume(): void;
  abort(): void;
}

/** Permission to PUT one segment, as the application gives it. */
export interface SignedSegment {
  index: number;
  offset: number;
  size: number;
  url: string;
  headers: Record<string, string>;
  expires: number;
}

export interface Signed {
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
  expires: number;
}

export interface Stored {
  index: number;
  size: number;
  etag: string;
}

export interface Status {
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

/** What is remembered in the browser of an upload that is not finished. */
export interface ResumeRecord extends Plan, Ticketed {
  mount: string;
  fingerprint: string;
  expires: number;
  etags: Declared[];
}

export interface Records {
  /** The unfinished uploads of such a file, newest first. */
  find(mount: string, fingerprint: string): Promise<ResumeRecord[]>;
  save(record: ResumeRecord): Promise<void>;
  remove(id: string): Promise<void>;
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
}

/** All that the engine needs of the world around it; browser.js is the real one. */
export interface Environment {
  fetch: typeof fetch;
  put(request: PutRequest): Promise<PutAnswer>;
  hash(data: Blob, signal?: AbortSignal): Promise<string>;
  records: Records;
  lanes: Lanes;
  /** Milliseconds; only differences are ever used. */
  now(): number;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  random(): number;
  isOnline(): boolean;
  /** Resolves when the network comes back. */
  backOnline(signal: AbortSignal): Promise<void>;
  /** Runs `work` while no other page of this browser runs such work. */
  alone<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Makes an upload this page's own; undefined when another one has it. */
  claim(id: string): Promise<(() => void) | undefined>;
}
