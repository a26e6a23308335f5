// The entry. Small, since every page with a file input loads it; the rest comes when it is needed.
/** @import { Run, Sendable, UploadAllOptions, UploadAllTask, UploadOptions, UploadTask, Verbs } from "./types.d.ts" */
import { DirectUploadFailure } from "./engine/failure.js";

export { DirectUploadFailure };

const MARKED = "direct-upload, input[type=file][data-direct-upload]";
const above = new URL("..", import.meta.url);

/**
 * @param {Sendable} file
 * @param {UploadOptions} [options]
 * @returns {UploadTask}
 */
export function upload(file, options = {}) {
  return taskOf(engine().then(({ start }) => start(mountOf(options), file, options), unreachable));
}

/**
 * @param {Iterable<Sendable>} files
 * @param {UploadAllOptions} [options]
 * @returns {UploadAllTask}
 */
export function uploadAll(files, options = {}) {
  const all = [...files];
  const modules = Promise.all([import("./engine/upload-all.js"), engine()]); // side by side, though one needs the other
  return taskOf(modules.then(([{ startAll }]) => startAll(mountOf(options), all, options), unreachable));
}

/** With what it asks for next, so that they come side by side. */
function engine() {
  import("./resume/records.js").catch(() => {}); // it does without
  return import("./engine/upload.js");
}

/** @param {UploadOptions} options */
function mountOf({ mount = above }) {
  return new URL(String(mount).replace(/\/*$/, "/"), above);
}

/** @returns {never} */
function unreachable() {
  throw new DirectUploadFailure("network", { transient: true });
}

/**
 * @template Result
 * @param {Promise<Run<Result>>} run
 */
function taskOf(run) {
  const tell = (/** @type {keyof Verbs} */ verb) => () => void run.then((it) => it[verb](), () => {});
  const task = run.then((it) => it.done);
  return Object.assign(task, {
    pause: tell("pause"),
    resume: tell("resume"),
    abort: tell("abort"),
    async *[Symbol.asyncIterator]() {
      task.catch(() => {}); // it is thrown here
      yield* (await run).reports();
    },
  });
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
    const [form] = await Promise.all([import("./ui/form.js"), engine()]);
    await form.enhance(document, upload, above);
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
