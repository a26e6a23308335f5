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
