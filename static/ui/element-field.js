/** @import { UploadField } from "./form.js" */
/** @import { UploadList } from "./list/upload-list.js" */

/**
 * Create what a form sees of an element.
 * @param {HTMLElement & { form: HTMLFormElement | null }} element
 * @param {() => UploadList} uploads
 * @param {() => void} markSent
 * @returns {UploadField}
 */
export function createField(element, uploads, markSent) {
  return {
    get form() { return element.matches(":disabled") ? null : element.form; },
    get isConnected() { return element.isConnected; },
    get isBusy() { return uploads().isBusy; },
    get isReady() { return uploads().inState("ready").length > 0; },
    get hasFailed() { return uploads().inState("failed").length > 0; },
    begin: () => uploads().start(),
    hold: () => uploads().hold(),
    release: () => uploads().release(),
    markSent,
  };
}
