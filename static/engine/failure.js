/** @import { FailureDetails } from "../types.d.ts" */

/** Why an upload failed, by `code`. Nothing in it tells a ticket or a temp URL, so it may be logged. */
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
