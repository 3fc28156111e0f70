// Puts the planner into a folder of compiled TypeScript: makes the library small, looks what it imports and what it weighs, and writes
// the modules that bring it along. `cargo xtask wasm` calls it.
//
//   node scripts/plan.mjs BOUND DIST     the folder that wasm-bindgen wrote, and the folder that gets dist/plan.mjs and dist/plan
//
// The library is a text inside of a module. So every bundler takes it along, nothing is fetched, no path has to be right, and nobody waits
// for it: the functions are ready as soon as they are imported. What cannot compile while it runs, such as workerd, gets the file.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { build } from "esbuild";

/** What the library may weigh for a browser, in bytes of brotli. */
const HEAVIEST = 170_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const [bound, dist] = process.argv.slice(2);
const home = join(dist, "plan");
const library = join(home, "portlease.wasm");
const glue = join(bound, "portlease_wasm_bg.js");

mkdirSync(home, { recursive: true });
optimize(join(bound, "portlease_wasm_bg.wasm"), library);
const bytes = readFileSync(library);
refuseImports();
await writeModules();
weigh();

function optimize(from, to) {
  const program = join(dirname(require.resolve("binaryen/package.json")), "bin", "wasm-opt");
  // What Rust compiles for this target may use these, and every browser of the last four years has them.
  const features = ["bulk-memory", "bulk-memory-opt", "call-indirect-overlong", "multivalue", "mutable-globals"];
  features.push("nontrapping-float-to-int", "reference-types", "sign-ext");
  const flags = ["-Oz", "--converge", "--strip-debug", "--strip-producers", "--strip-target-features"];
  flags.push("--mvp-features", ...features.map((name) => `--enable-${name}`));
  const { status, error } = spawnSync(process.execPath, [program, from, "-o", to, ...flags], { stdio: "inherit" });
  if (status !== 0) {
    throw error ?? new Error(`wasm-opt ended with ${status}`);
  }
}

/** The library gets the functions of wasm-bindgen's own, and nothing by which it could see the world. */
function refuseImports() {
  const module = new WebAssembly.Module(bytes);
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== "function" || from !== "./portlease_wasm_bg.js" || !/^(__wbg_)?__wbindgen_/.test(name)) {
      throw new Error(`The planner imports ${name} (${kind}) from ${from}: whatever needs that does not belong into it.`);
    }
  }
}

async function writeModules() {
  // Node.js and whoever requires it.
  writeFileSync(join(home, "library.cjs"), embedded("exports.library = library;"));
  await bundle({ stdin: { contents: readFileSync(glue, "utf8"), loader: "js" }, format: "cjs", outfile: join(home, "glue.cjs") });
  // Browsers, bundled or not: one file.
  const text = { contents: embedded("export { library };"), loader: "js" };
  await bundle({ ...source(text), format: "esm", outfile: join(dist, "plan.mjs") });
  // Edge runtimes, whose bundlers make a module of the file; the question is asked by those of Next.
  const file = { contents: 'import module from "./plan/portlease.wasm?module"; export const library = () => module;', loader: "js" };
  await bundle({ ...source(file), format: "esm", external: ["*.wasm?module"], outfile: join(dist, "plan.edge.mjs") });
}

/** In hexadecimal, which weighs a twentieth more than the file when it is compressed; base64 tears bytes apart and weighs a third more. */
function embedded(exports) {
  return `// The library, compiled when it is first asked for.
const text = "${bytes.toString("hex")}";
function library() {
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = parseInt(text.slice(2 * index, 2 * index + 2), 16);
  }
  return new WebAssembly.Module(bytes);
}
${exports}
`;
}

/** The TypeScript, with the functions of wasm-bindgen and the library in its place. */
function source(library) {
  const plugin = {
    name: "portlease",
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /\/glue\.cjs$/ }, () => ({ path: glue }));
      onResolve({ filter: /\/library\.cjs$/ }, () => ({ path: "library", namespace: "portlease" }));
      onLoad({ filter: /.*/, namespace: "portlease" }, () => library);
    },
  };
  return { entryPoints: [join(root, "src", "plan.cts")], plugins: [plugin] };
}

async function bundle(options) {
  await build({ bundle: true, platform: "neutral", target: "es2022", charset: "utf8", logLevel: "warning", ...options });
}

function weigh() {
  const sizes = (name, bytes) => {
    const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;
    const numbers = [bytes.length, gzipSync(bytes, { level: 9 }).length, brotli];
    console.log(name.padEnd(28) + numbers.map((size) => `${(size / 1000).toFixed(1)} kB`.padStart(12)).join(""));
    return brotli;
  };
  console.log(`\n${"planner".padEnd(28)}${["raw", "gzip", "brotli"].map((name) => name.padStart(12)).join("")}`);
  const brotli = sizes("portlease.wasm", bytes);
  sizes("plan.mjs, with it inside", readFileSync(join(dist, "plan.mjs")));
  if (brotli > HEAVIEST) {
    throw new Error(`The planner weighs ${brotli} bytes in brotli, and must not weigh more than ${HEAVIEST}.`);
  }
}
