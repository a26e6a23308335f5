// The entry. Small, since every page with a file input loads it; the rest comes when it is needed.
/** @import { Sendable, UploadOptions, UploadTask } from "./types.d.ts" */
import { DirectUploadFailure } from "./failure.js";

export { DirectUploadFailure };

const MARKED = "input[type=file][data-direct-upload]";
const above = new URL("..", import.meta.url);

/**
 * @param {Sendable} file
 * @param {UploadOptions} [options]
 * @returns {UploadTask}
 */
export function upload(file, options = {}) {
  const mount = new URL(String(options.mount ?? above).replace(/\/*$/, "/"), above);
  const run = import("./engine.js").then(
    (engine) => engine.start(mount, file, options),
    () => Promise.reject(new DirectUploadFailure("network", { transient: true })),
  );
  const tell = (/** @type {"pause" | "resume" | "abort"} */ verb) => () => void run.then((it) => it[verb](), () => {});
  const verbs = { pause: tell("pause"), resume: tell("resume"), abort: tell("abort") };
  return Object.assign(run.then((it) => it.done), verbs);
}

/** Submissions wait until the page is enhanced, so that a quick one does not take the file along. */
async function enhance() {
  const early = new Set();
  const hold = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    early.add(event);
  };
  addEventListener("submit", hold, true);
  try {
    const [form] = await Promise.all([import("./form.js"), import("./engine.js")]);
    form.enhance(document, upload);
  } finally {
    removeEventListener("submit", hold, true);
    for (const { target, submitter } of early) target.requestSubmit(submitter);
  }
}

if (globalThis.document) {
  const look = () => {
    if (!document.querySelector(MARKED)) return;
    watcher.disconnect();
    void enhance();
  };
  const watcher = new MutationObserver(look);
  const marks = { attributes: true, attributeFilter: ["data-direct-upload"], childList: true, subtree: true };
  watcher.observe(document, marks);
  look();
}
