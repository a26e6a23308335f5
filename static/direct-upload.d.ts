// The public types.

import type { Sendable, UploadAllOptions, UploadAllTask, UploadOptions, UploadResult, UploadTask } from "./types.d.ts";

export { DirectUploadFailure } from "./engine/failure.js";
export type {
  ProgressReport,
  RetryReport,
  UploadAllOptions,
  UploadAllTask,
  UploadInfo,
  UploadOptions,
  UploadResult,
  UploadTask,
} from "./types.d.ts";

/** Upload a file directly to storage, and resume an earlier upload of the same file. */
export function upload(file: Sendable, options?: UploadOptions): UploadTask;

/** Upload several files, some at once. The results are in the order of the files. */
export function uploadAll(files: Iterable<Sendable>, options?: UploadAllOptions): UploadAllTask;

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

declare global {
  interface HTMLElementTagNameMap {
    "direct-upload": DirectUploadElement;
  }
}
