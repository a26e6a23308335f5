// What a page's own TypeScript may use.

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

/** Uploads a file straight into storage, and goes on where an earlier attempt at the same file ended. */
export function upload(file: Sendable, options?: UploadOptions): UploadTask;

/** Uploads several files, some at once; their results are in the files' order. */
export function uploadAll(files: Iterable<Sendable>, options?: UploadAllOptions): UploadAllTask;

/** What `<direct-upload>` has beyond every element: that of a form's field, and its uploads. */
export interface DirectUploadElement extends HTMLElement {
  name: string;
  accept: string;
  /** In bytes; Infinity when there is no limit. */
  maxSize: number;
  multiple: boolean;
  required: boolean;
  disabled: boolean;
  /** The first receipt, "" when there is none. The form gets them all. */
  readonly value: string;
  readonly files: File[];
  /** Every file with its state, and with its result when it has one. */
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
  /** Takes files as if they were chosen. */
  add(files: Iterable<File>): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "direct-upload": DirectUploadElement;
  }
}
