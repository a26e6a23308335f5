// What a page's own TypeScript may use.

import type { Sendable, UploadOptions, UploadTask } from "./types.d.ts";

export { DirectUploadFailure } from "./failure.js";
export type { ProgressReport, RetryReport, UploadInfo, UploadOptions, UploadResult, UploadTask } from "./types.d.ts";

/** Uploads a file straight into storage, and goes on where an earlier attempt at the same file ended. */
export function upload(file: Sendable, options?: UploadOptions): UploadTask;
