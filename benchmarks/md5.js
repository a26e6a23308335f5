// Three implementations of MD5 take turns; in node, and in a worker of a browser's. Run by md5.py.
import { createMD5 } from "hash-wasm";
import SparkMD5 from "spark-md5";

import { Md5 } from "../static/hashing/md5.js";

const STEP = 256 * 1024;
const PIECE = Uint8Array.from({ length: STEP }, (_, index) => (index * 31) ^ (index >> 7));
const makers = contenders();

/** All of the same shape: begin, add pieces, end. */
async function contenders() {
  const wasm = await createMD5();
  return {
    ours: () => new Md5(),
    "spark-md5": () => {
      const spark = new SparkMD5.ArrayBuffer();
      return { update: ({ buffer }) => spark.append(buffer), hex: () => spark.end() };
    },
    "hash-wasm": () => {
      wasm.init();
      return { update: (bytes) => wasm.update(bytes), hex: () => wasm.digest() };
    },
  };
}

/**
 * Milliseconds of each contender.
 * @param {number} size in MiB
 * @param {() => number} now
 */
async function round(size, now) {
  const digests = new Set();
  const times = {};
  for (const [name, make] of Object.entries(await makers)) {
    const begin = now();
    const md5 = make();
    for (let step = 0; step < (size * 1024 * 1024) / STEP; step += 1) md5.update(PIECE);
    digests.add(md5.hex());
    times[name] = now() - begin;
  }
  if (digests.size > 1) throw new Error(`They differ: ${[...digests]}`);
  return times;
}

/** Of CPU, where it can be told: other programs matter less. */
function cpu() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

if (globalThis.process) {
  const [size, rounds] = process.argv.slice(-2).map(Number);
  for (let each = 0; each < rounds; each += 1) console.log(JSON.stringify(await round(size, cpu)));
} else {
  onmessage = async ({ data }) => postMessage(await round(data, () => performance.now()));
}
