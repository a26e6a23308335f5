// The entry. It is small, since every page with a file input loads it; other modules are loaded when needed.
/** @import { Sendable, UploadAllOptions, UploadAllTask, UploadControls, UploadOptions, UploadRun } from "./types.d.ts" */
/** @import { UploadTask } from "./types.d.ts" */
import { DirectUploadFailure } from "./engine/failure.js";

export { DirectUploadFailure };

const MARKED = "direct-upload, input[type=file][data-direct-upload]";
const SCRIPT = import.meta.url; // in a variable, since bundlers take new URL("..", import.meta.url) for a file
/** Whether the middleware serves this script. A bundle has another address, that of its source, or none. */
const IS_SERVED = /^http.*\/static\/direct-upload.js/.test(SCRIPT);
const ORIGIN = /^http/.test(globalThis.origin) ? origin : "http://localhost"; // undefined in Node, "null" in a sandbox
const MOUNT = IS_SERVED ? new URL("..", SCRIPT) : new URL("/_upload/", ORIGIN);

/**
 * @param {Sendable} file
 * @param {UploadOptions} [options]
 * @returns {UploadTask}
 */
export function upload(file, options = {}) {
  return createTask(loadEngine().then(({ start }) => start(MOUNT, file, options), unreachable));
}

/**
 * @param {Iterable<Sendable>} files
 * @param {UploadAllOptions} [options]
 * @returns {UploadAllTask}
 */
export function uploadAll(files, options = {}) {
  const all = [...files];
  const modules = Promise.all([import("./engine/upload-all.js"), loadEngine()]); // in parallel
  return createTask(modules.then(([{ startAll }]) => startAll(MOUNT, all, options), unreachable));
}

/** Load the engine, and in parallel the module that it needs next. */
function loadEngine() {
  import("./resume/records.js").catch(() => {}); // optional
  return import("./engine/upload.js");
}

/** @returns {never} */
function unreachable() {
  throw new DirectUploadFailure("network", { transient: true });
}

/**
 * @template Result
 * @param {Promise<UploadRun<Result>>} run
 */
function createTask(run) {
  const call = (/** @type {keyof UploadControls} */ name) => () => void run.then((it) => it[name](), () => {});
  const task = run.then((it) => it.done);
  return Object.assign(task, {
    pause: call("pause"),
    resume: call("resume"),
    abort: call("abort"),
    async *[Symbol.asyncIterator]() {
      task.catch(() => {}); // thrown below
      yield* (await run).reports();
    },
  });
}

/** Enhance the page, unless another copy of the script does. A bundle leaves it to the copy that the middleware serves. */
function takePage() {
  const page = /** @type {any} */ (globalThis);
  const key = Symbol.for("direct-upload");
  const isSecond = page[key] || (!IS_SERVED && document.querySelector('script[src*="/static/direct-upload.js"]'));
  page[key] ??= MOUNT.href;
  if (isSecond) void import("./ui/forms/second-copy.js").then(({ standBack }) => standBack(MOUNT, page[key]));
  else void enhance();
}

/** Hold submissions until the page is enhanced, so that an early one does not send the file itself. */
async function enhance() {
  const held = new Map();
  const hold = (/** @type {any} */ event) => {
    const { submitter, target } = event;
    if (/^dialog$/i.test(submitter?.getAttribute("formmethod") ?? target.getAttribute("method"))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    held.set(target, submitter && { button: submitter, copy: submitter.cloneNode() });
  };
  addEventListener("submit", hold, true);
  const release = () => removeEventListener("submit", hold, true);
  try {
    const [form] = await Promise.all([import("./ui/form.js"), loadEngine()]);
    await form.enhance(document, upload, MOUNT);
    release();
    form.submitHeld(held);
  } catch (error) {
    release();
    for (const form of held.keys()) form.requestSubmit();
    throw error;
  }
}

if (globalThis.document) {
  let isTaken = false;
  const take = () => {
    if (!isTaken) takePage();
    isTaken = true;
    watcher.disconnect();
  };
  const look = () => document.querySelector(MARKED) && take();
  const watcher = new MutationObserver(look);
  const marks = { attributes: true, attributeFilter: ["data-direct-upload"], childList: true, subtree: true };
  watcher.observe(document, marks);
  look();
  if (!isTaken) import("./ui/forms/find-roots.js").then(({ findRoots }) => findRoots(take), () => {});
}
