// Bundle the script into dist/, with source maps: node static/bundle.mjs. NODE_PATH leads to esbuild; `make static` does it.
//
// A file of dist/ has the path of its first module, so that addresses are the same with and without dist/.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path/posix";
import { fileURLToPath } from "node:url";

const esbuild = createRequire(import.meta.url)("esbuild");
const ROOT = fileURLToPath(new URL(".", import.meta.url));
const TARGET = "es2022";

/** Modules that are needed together, in the order of loading: what every page loads, what uploads, what is seen,
 *  what remembers uploads. */
const TOGETHER = [["direct-upload.js"], ["engine/upload.js", "engine/upload-all.js", "engine/remove.js"], ["ui/form.js", "ui/element.js"],
  ["resume/records.js", "ui/unfinished.js"]];
/** Documented addresses. */
const PUBLIC = ["direct-upload.js", "messages.js", "uppy.js"];
const WORKER = "hashing/hash-worker.js";

/** Minify style sheets, which are strings in modules. */
const styles = {
  name: "styles",
  setup({ onLoad }) {
    onLoad({ filter: /-styles\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const [before, css, after] = source.split("`");
      const { code } = await esbuild.transform(css, { loader: "css", minify: true, charset: "utf8" });
      return { contents: `${before}${JSON.stringify(code.trim())}${after}` };
    });
  },
};

const sources = await listSources();
const { imports, exports } = await analyze();
const { members, home } = assignFiles();
const used = await findUsed();
await rm(join(ROOT, "dist"), { recursive: true, force: true });
await writeWorker();
for (const file of members.keys()) await writeBundle(file);
for (const name of PUBLIC) if (home.get(name) !== name) await writeForward(name);
await writeDist("sources.sha256", `${await digest()}\n`);

async function listSources() {
  const paths = await readdir(ROOT, { recursive: true });
  return paths.filter((path) => path.endsWith(".js") && !path.startsWith("dist/")).sort();
}

/** Return what each module imports, by kind, and the names that it exports. */
async function analyze() {
  const { metafile } = await esbuild.build({
    absWorkingDir: ROOT, entryPoints: sources, outdir: "out", bundle: true, splitting: true, format: "esm",
    metafile: true, write: false, logLevel: "error",
  });
  const imports = new Map(Object.entries(metafile.inputs).map(([path, input]) => [path, input.imports]));
  const outputs = Object.values(metafile.outputs).filter((output) => output.entryPoint);
  return { imports, exports: new Map(outputs.map((output) => [output.entryPoint, output.exports])) };
}

/** Return the modules in each file, and the file of each module. A module is in one file only, or it would run twice. */
function assignFiles() {
  const lazy = [...imports.values()].flat().filter(({ kind }) => kind === "dynamic-import").map(({ path }) => path);
  const members = new Map();
  const home = new Map();
  for (const roots of [...TOGETHER, ...[...new Set([...lazy, ...PUBLIC])].map((root) => [root])]) {
    const [file] = roots;
    if (home.has(file)) continue;
    members.set(file, []);
    const add = (path) => {
      if (home.has(path)) return;
      home.set(path, file);
      for (const { kind, path: needed } of imports.get(path)) if (kind === "import-statement") add(needed);
      members.get(file).push(path);
    };
    roots.forEach(add);
  }
  return { members, home };
}

/** Return the names that the other files import from each module. */
async function findUsed() {
  const used = new Map(sources.map((path) => [path, new Set()]));
  for (const path of sources) {
    const source = await readFile(join(ROOT, path), "utf8");
    const read = new Set();
    for (const [, names, specifier] of source.matchAll(/^(?:import|export) \{([^}]+)\} from "([^"]+)"/gm)) {
      const target = join(dirname(path), specifier);
      read.add(target);
      if (home.get(target) === home.get(path)) continue;
      for (const name of names.split(",")) used.get(target).add(name.trim().split(" as ")[0]);
    }
    for (const { kind, path: target, original } of imports.get(path)) {
      if (kind !== "import-statement" || home.get(target) === home.get(path) || read.has(target)) continue;
      if (!source.includes(`\nimport "${original}";`)) throw new Error(`${path}: write import { … } from "${original}"`);
    }
  }
  const whole = [...imports.values()].flat().filter(({ kind }) => kind === "dynamic-import").map(({ path }) => path);
  for (const path of [...whole, ...PUBLIC]) used.set(path, new Set(exports.get(path)));
  return used;
}

/** Write one file, which exports what other files import. */
async function writeBundle(file) {
  const owner = new Map();
  for (const path of members.get(file)) {
    for (const name of used.get(path)) {
      const other = owner.get(name);
      if (other === undefined) owner.set(name, path);
      else if (!imports.get(path).some((needed) => needed.path === other)) {
        throw new Error(`${path} and ${other} both export ${name}, and are in one file: rename one of them`);
      }
    }
  }
  const contents = [...owner].map(([name, path]) => `export { ${name} } from "./${path}";`).join("\n");
  const elsewhere = {
    name: "elsewhere",
    setup({ onResolve }) {
      onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
        const target = home.get(relative(ROOT, join(resolveDir, path)));
        if (target === file && kind !== "dynamic-import") return undefined;
        return { path: specifier(file, target), external: true };
      });
    },
  };
  await write(file, { stdin: { contents, resolveDir: ROOT }, plugins: [elsewhere, styles] });
}

/** A worker cannot share modules with the page. */
async function writeWorker() {
  await write(WORKER, { entryPoints: [WORKER] });
}

async function write(file, options) {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: ROOT, outfile: `dist/${file}`, bundle: true, minify: true, format: "esm", target: TARGET, charset: "utf8",
    sourcemap: "linked", write: false, logLevel: "warning", ...options,
  });
  for (const output of outputFiles) await writeDist(relative(join(ROOT, "dist"), output.path), output.contents);
}

/** Write a documented address of a module that is in another file. */
async function writeForward(name) {
  const names = exports.get(name).join(", ");
  await writeDist(name, `export { ${names} } from "${specifier(name, home.get(name))}";\n`);
}

function specifier(from, to) {
  const path = relative(dirname(from), to);
  return path.startsWith(".") ? path : `./${path}`;
}

async function writeDist(name, contents) {
  const path = join(ROOT, "dist", name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, contents);
}

/** Return the digest of all sources, by which api/assets.py notices a dist/ that is out of date. */
async function digest() {
  const hash = createHash("sha256");
  for (const path of sources) hash.update(`${path}\0`).update(await readFile(join(ROOT, path))).update("\0");
  return hash.digest("hex");
}
