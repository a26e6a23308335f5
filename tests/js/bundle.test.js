// The script inside a bundler's output, and its size. Needs esbuild, which NODE_PATH leads to ('make test' sees to it).
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { brotliCompressSync } from "node:zlib";

const ENTRY = fileURLToPath(new URL("../../static/direct-upload.js", import.meta.url));
const esbuild = find("esbuild");
if (!esbuild) console.log("# esbuild is not installed: nothing is bundled");

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

if (esbuild) test("a bundle of it works outside of the mount", async () => {
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

/** Bytes of a module with all that it needs at once, minified and compressed; what it imports later does not count. */
async function weigh(name) {
  const entryPoints = [fileURLToPath(new URL(`../../static/${name}`, import.meta.url))];
  const { outputFiles, metafile } = await esbuild.build({
    entryPoints, bundle: true, format: "esm", minify: true, splitting: true, metafile: true, write: false, outdir: "/",
  });
  const needed = new Set();
  const need = (path) => {
    if (needed.has(path)) return;
    needed.add(path);
    const { imports } = Object.entries(metafile.outputs).find(([output]) => path.endsWith(output.split("/").at(-1)))[1];
    for (const { kind, path: other } of imports) if (kind === "import-statement") need(`/${other.split("/").at(-1)}`);
  };
  need(`/${name}`);
  const weights = outputFiles.filter(({ path }) => needed.has(path)).map(({ contents }) => brotliCompressSync(contents).length);
  assert.equal(weights.length, needed.size);
  return weights.reduce((sum, weight) => sum + weight, 0);
}

for (const [what, module, limit] of [
  ["the entry", "direct-upload.js", 1000],
  ["the engine", "engine.js", 8000],
  ["the enhanced input", "form.js", 8000],
  ["the element with its looks", "element.js", 15_000],
]) {
  if (esbuild) test(`${what} is below ${limit} bytes, compressed`, async (t) => {
    const weight = await weigh(module);
    t.diagnostic(`${weight} bytes`);
    assert.ok(weight < limit, `${weight} bytes`);
  });
}
