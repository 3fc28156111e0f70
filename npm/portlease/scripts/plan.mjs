// Puts the planner into a folder of compiled TypeScript: makes the library small, looks what it imports and what it weighs, and writes
// the modules that bring it along. `cargo xtask wasm` calls it.
//
//   node scripts/plan.mjs BOUND DIST     the folder that wasm-bindgen wrote, and the folder that gets dist/plan.mjs and dist/plan
//
// The library is one file, and who brings it differs: Node.js reads it, browsers fetch it from beside the module, and what cannot compile
// while it runs, such as workerd, imports it.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import { build } from "esbuild";

/**
 * What the library may weigh for a browser, in bytes of brotli: what it does, and a little more. Three quarters of it read and write JSON.
 * It may not grow unnoticed, and one copy of it fits into the package.
 */
const HEAVIEST = 125_000;

/** What stands in the place of src/plan/library.cts where there are no files. */
const LIBRARIES = {
  // By this expression bundlers find the file.
  browser: `
    export const now = () => undefined;
    export const address = () => new URL("./plan/portlease.wasm", import.meta.url);
  `,
  // The question is asked by the bundlers for the edge: with it, the file is a module.
  edge: `
    import module from "./plan/portlease.wasm?module";
    export const now = () => module;
    export const address = () => undefined;
  `,
};

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
  await bundle({ stdin: { contents: readFileSync(glue, "utf8"), loader: "js" }, format: "cjs", outfile: join(home, "glue.cjs") });
  await bundle({ ...source(LIBRARIES.browser), format: "esm", outfile: join(dist, "plan.mjs") });
  await bundle({ ...source(LIBRARIES.edge), format: "esm", external: ["*.wasm?module"], outfile: join(dist, "plan.edge.mjs") });
}

/** The TypeScript, with the functions of wasm-bindgen, and with another way to the library. */
function source(library) {
  const plugin = {
    name: "portlease",
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /\/glue\.cjs$/ }, () => ({ path: glue }));
      onResolve({ filter: /\/library\.cjs$/ }, () => ({ path: "library", namespace: "portlease" }));
      onLoad({ filter: /.*/, namespace: "portlease" }, () => ({ contents: library, loader: "js" }));
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
  sizes("plan.mjs, not minified", readFileSync(join(dist, "plan.mjs")));
  if (brotli > HEAVIEST) {
    throw new Error(`The planner weighs ${brotli} bytes in brotli, and must not weigh more than ${HEAVIEST}.`);
  }
}
