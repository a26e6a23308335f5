/** @import { PutAnswer, PutRequest } from "../types.d.ts" */

/**
 * Send a PUT request by XMLHttpRequest, since `fetch` has no upload progress.
 * @param {PutRequest} request
 * @returns {Promise<PutAnswer>}
 */
export function put({ url, headers, body, signal, onprogress }) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const xhr = new XMLHttpRequest();
    xhr.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded }) => onprogress(loaded);
    // The browser may end a request with any one of these events, as when the page navigates or the computer sleeps.
    for (const type of ["load", "error", "abort", "timeout", "loadend"]) {
      xhr.addEventListener(type, () => (signal.aborted ? reject(signal.reason) : resolve(answerOf(xhr, type))));
    }
    signal.addEventListener("abort", () => xhr.abort(), { once: true });
    xhr.send(body);
  });
}

/**
 * @param {XMLHttpRequest} xhr
 * @param {string} event
 * @returns {PutAnswer}
 */
function answerOf(xhr, event) {
  if (event !== "load") return { status: 0 };
  return { status: xhr.status, retryAfter: header(xhr, "retry-after"), date: header(xhr, "date") };
}

/**
 * Read a header from the list of all: `getResponseHeader` logs an error for a header that CORS hides.
 * @param {XMLHttpRequest} xhr
 * @param {string} name
 */
function header(xhr, name) {
  return new RegExp(`^${name}: *(.*?)\\r?$`, "im").exec(xhr.getAllResponseHeaders())?.[1];
}
