/** @import { FailureDetails } from "../types.d.ts" */

/** The reason why an upload failed, named by `code`. It contains no ticket and no presigned URL, so it may be logged. */
export class DirectUploadFailure extends Error {
  /**
   * @param {string} code
   * @param {FailureDetails} [details]
   */
  constructor(code, { status = 0, detail = "", problem, cause, transient = false, retryAfter = 0 } = {}) {
    super(detail || code, { cause });
    this.name = "DirectUploadFailure";
    this.code = code;
    this.status = status;
    this.detail = detail;
    this.problem = problem;
    this.transient = transient;
    this.retryAfter = retryAfter;
  }
}

/**
 * Return any error as a failure. One that is not a failure yet is a bug, or comes from the browser or an extension.
 * @param {unknown} error
 */
export function toFailure(error) {
  if (error instanceof DirectUploadFailure) return error;
  const detail = error instanceof Error || error instanceof DOMException ? `${error.name}: ${error.message}` : String(error);
  return new DirectUploadFailure("unexpected", { detail: detail.replace(/\S{40,}/g, "…") }); // may contain a presigned URL
}
