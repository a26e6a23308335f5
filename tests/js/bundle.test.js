// The script in a bundler's output. Needs esbuild in NODE_PATH, which `make test` installs.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const ENTRY = fileURLToPath(new URL("../../static/direct-upload.js", import.meta.url));
const esbuild = find("esbuild");
if (!esbuild) console.log("# esbuild is not installed: the test is skipped");

function find(name) {
  try {
    return createRequire(import.meta.url)(name);
  } catch {
    return undefined;
  }
}

/** Bundles `source` as an application's build would. */
async function bundle(source, options = {}) {
  const { outputFiles, warnings } = await esbuild.build({
    stdin: { contents: source, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
    outdir: "/",
    logLevel: "silent",
    ...options,
  });
  assert.deepEqual(warnings, []);
  return outputFiles;
}

if (esbuild) test("a bundle works outside of the mount", async () => {
  const source = `
    import { upload, uploadAll, DirectUploadFailure } from ${JSON.stringify(ENTRY)};
    const options = { mount: "https://app.example/_upload", retries: 0 };
    globalThis.navigator ??= { onLine: true };
    export const tasks = [upload(new Blob(["x"]), options), uploadAll([new Blob(["y"])], options)];
    export { DirectUploadFailure };
  `;
  const [{ text }] = await bundle(source);
  const directory = await mkdtemp(join(tmpdir(), "direct-upload-bundle-"));
  const asked = [];
  const { fetch } = globalThis;
  globalThis.fetch = async (url) => {
    asked.push(String(url));
    return Response.json({ code: "refused", detail: "No." }, { status: 403 });
  };
  try {
    await writeFile(join(directory, "bundle.mjs"), text);
    const { tasks, DirectUploadFailure } = await import(pathToFileURL(join(directory, "bundle.mjs")));
    for (const task of tasks) {
      await assert.rejects(task, (failure) => failure instanceof DirectUploadFailure && failure.code === "refused");
    }
    assert.deepEqual(asked, Array(2).fill("https://app.example/_upload/uploads"));
  } finally {
    globalThis.fetch = fetch;
    await rm(directory, { recursive: true });
  }
});
