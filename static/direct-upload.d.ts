// The public types.

/** Upload a file directly to storage, and resume an earlier upload of the same file. */
export function upload(file: Sendable, options?: UploadOptions): UploadTask;

/** Upload several files, some at once. The results are in the order of the files. */
export function uploadAll(files: Iterable<Sendable>, options?: UploadAllOptions): UploadAllTask;

/** A `File`, as from `<input type="file">`, or any other `Blob`. */
export type Sendable = Blob & { readonly name?: string; readonly lastModified?: number };

export type State = "starting" | "sending" | "waiting" | "paused" | "finishing";

export interface ProgressReport {
  loaded: number;
  total: number;
  state: State;
  /** Bytes per second, smoothed; 0 while it is unknown and while nothing is sent. */
  speed: number;
  /** Seconds, at this speed; undefined while the speed is unknown. */
  timeLeft?: number;
}

export interface RetryReport {
  failure: DirectUploadFailure;
  /** The number of attempts in a row that failed. */
  attempt: number;
  /** Milliseconds until the next attempt. */
  delay: number;
}

export interface UploadOptions {
  onprogress?: (report: ProgressReport) => void;
  onretry?: (report: RetryReport) => void;
  signal?: AbortSignal;
  /** The name of the stored file, instead of the file's own. */
  filename?: string;
  /** The middleware's mount. Default: that of the middleware that serves this script; in a bundle, `/_upload`. */
  mount?: string | URL;
  /** The place in the site, such as a page and a field, that lists the upload while it is unfinished. */
  place?: string;
  /** Failed attempts without progress after which the upload fails; 12. */
  retries?: number;
  /** Milliseconds without progress after which a request is aborted and sent again; 30 000. */
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

export interface UploadControls {
  pause(): void;
  resume(): void;
  abort(): void;
}

/** One upload. `for await` yields the latest report each time, ends with the upload, and throws its failure. */
export interface UploadTask extends Promise<UploadResult>, AsyncIterable<ProgressReport>, UploadControls {}

/** Several uploads. When one fails the others continue, and then the task rejects with the first failure. */
export interface UploadAllTask extends Promise<UploadResult[]>, AsyncIterable<ProgressReport>, UploadControls {}

export interface UploadAllOptions extends Omit<UploadOptions, "filename"> {
  /** The most files that are begun and not finished; by default all. The browser's connections limit what is sent at once. */
  concurrency?: number;
  /** Called for each file as soon as it is uploaded. */
  onfile?: (file: Sendable, result: UploadResult) => void;
}

export interface FailureDetails {
  status?: number;
  /** The problem's detail. */
  detail?: string;
  problem?: Problem;
  /** Why the browser refused to connect (with `network`), or that it does not send the cookie (with `not-yours`). */
  cause?: "csp" | "cors" | "cookies";
  /** Whether a retry may succeed. */
  transient?: boolean;
  /** The answer's `Retry-After`, in milliseconds. */
  retryAfter?: number;
}

/** The body of an error (RFC 9457). */
export interface Problem {
  title?: string;
  status?: number;
  detail?: string;
  code?: string;
  indexes?: number[];
  field?: string;
}

/** The reason why an upload failed, named by `code`. It contains no ticket and no presigned URL, so it may be logged. */
export class DirectUploadFailure extends Error {
  constructor(code: string, details?: FailureDetails);
  /** The problem's code, or `network`, `stalled`, `aborted` or `file-changed`. */
  code: string;
  /** The HTTP status; 0 without an answer. */
  status: number;
  detail: string;
  problem: Problem | undefined;
  /** Whether a retry may succeed. */
  transient: boolean;
  /** Milliseconds; 0 when the answer does not say. */
  retryAfter: number;
}

/** The element `<direct-upload>`: a form field with its uploads. */
export interface DirectUploadElement extends HTMLElement {
  name: string;
  accept: string;
  /** Bytes; Infinity without a limit. */
  maxSize: number;
  multiple: boolean;
  required: boolean;
  disabled: boolean;
  /** The first receipt, or "". The form gets all receipts. */
  readonly value: string;
  readonly files: File[];
  /** Each file with its state and, when it is uploaded, its result. */
  readonly uploads: ({ file: File; state: "ready" | "busy" | "done" | "failed" } & Partial<UploadResult>)[];
  readonly form: HTMLFormElement | null;
  readonly labels: NodeListOf<HTMLLabelElement>;
  readonly type: string;
  readonly willValidate: boolean;
  readonly validity: ValidityState;
  readonly validationMessage: string;
  checkValidity(): boolean;
  reportValidity(): boolean;
  setCustomValidity(message: string): void;
  /** Add files as if the visitor had chosen them. */
  add(files: Iterable<File>): void;
}

/** The attributes of `<direct-upload>`, for the JSX types of a framework. */
export interface DirectUploadAttributes {
  name?: string;
  accept?: string;
  /** Such as "20 MB". */
  "max-size"?: string | number;
  multiple?: boolean;
  required?: boolean;
  disabled?: boolean;
  form?: string;
  /** "submit": upload when the form is submitted, not when files are chosen. */
  "data-direct-upload"?: "" | "submit";
  "data-direct-upload-mount"?: string;
  /** A JSON list of the initial receipts. */
  "data-receipts"?: string;
}

/** What the detail of each event of an upload has. */
export interface UploadEventDetail {
  /** A number for this file in this page. */
  id: number;
  file: File;
}

/** The events of an upload field. They bubble, so that listeners can be on the form or the document. */
export interface DirectUploadEventMap {
  "direct-upload:start": CustomEvent<UploadEventDetail>;
  "direct-upload:progress": CustomEvent<UploadEventDetail & ProgressReport>;
  "direct-upload:retry": CustomEvent<UploadEventDetail & RetryReport>;
  /** `preventDefault()` hides the message. */
  "direct-upload:error": CustomEvent<UploadEventDetail & { error: DirectUploadFailure }>;
  "direct-upload:end": CustomEvent<UploadEventDetail & UploadResult>;
  /** On the form: its first upload has started. */
  "direct-uploads:start": CustomEvent<null>;
  /** On the form: no upload is in progress any more. */
  "direct-uploads:end": CustomEvent<null>;
}

declare global {
  interface HTMLElementTagNameMap {
    "direct-upload": DirectUploadElement;
  }
  /** The events that elements, the document and the window have in common. */
  interface GlobalEventHandlersEventMap extends DirectUploadEventMap {}
}
