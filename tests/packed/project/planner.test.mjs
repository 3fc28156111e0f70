// The planner, as it is packed, in each environment that it is for: all of them answer the same.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { build as esbuild } from "esbuild";
import { chromium } from "playwright-core";
import * as planner from "portlease/plan";
import { build as vite, createServer as viteServer } from "vite";
import webpack from "webpack";

import { answersOf } from "./planner/answers.mjs";
import { answerOf, launch, POLICY, serve } from "./planner/browser.mjs";

const require = createRequire(import.meta.url);
const here = fileURLToPath(new URL(".", import.meta.url));
const scripts = join(here, "planner");
const expected = answersOf(planner);

/** Where the bundlers write; the browser gets it from there. */
const built = join(here, "built");
let browser;
let server;

before(async () => {
  rmSync(built, { recursive: true, force: true });
  mkdirSync(built);
  server = await serve(here);
  browser = await launch(chromium);
});
after(async () => {
  await browser?.close();
  server?.close();
});

async function run(...parameters) {
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { cwd: here });
  return stdout.trim();
}

const visit = (path) => answerOf(browser, `${server.url}/${path}.html`);

/** The bundlers, each with as little configuration as it takes; they answer the path of the bundle. */
const BUNDLERS = {
  async vite(script, name) {
    const input = join(scripts, script);
    const output = { entryFileNames: "bundle.mjs" };
    const build = { outDir: join(built, name), emptyOutDir: true, minify: true, rollupOptions: { input, output } };
    await vite({ configFile: false, root: here, base: `/built/${name}/`, logLevel: "warn", build });
    return `built/${name}/bundle.mjs`;
  },
  async webpack(script, name) {
    const entry = join(scripts, script);
    const output = { path: join(built, name), filename: "bundle.js", publicPath: `/built/${name}/` };
    // `eval`, which is its way in development, is what the policy forbids.
    const stats = await promisify(webpack)({ mode: "production", context: here, entry, output, performance: false });
    assert.ok(!stats.hasErrors() && !stats.hasWarnings(), stats.toString({ all: false, errors: true, warnings: true }));
    return `built/${name}/bundle.js`;
  },
  async "esbuild, with the library as a file"(_, name) {
    const outdir = join(built, name);
    const loader = { ".wasm": "file" };
    await esbuild({ entryPoints: { bundle: join(scripts, "given.mjs") }, ...ESBUILD, loader, outdir, publicPath: `/built/${name}` });
    return `built/${name}/bundle.js`;
  },
  async "esbuild, with the library inside"(_, name) {
    const outfile = join(built, name, "bundle.js");
    await esbuild({ entryPoints: [join(scripts, "given.mjs")], ...ESBUILD, loader: { ".wasm": "binary" }, outfile });
    return `built/${name}/bundle.js`;
  },
  async "esbuild, with the library beside"(script, name) {
    const outfile = join(built, name, "bundle.mjs");
    await esbuild({ entryPoints: [join(scripts, script)], ...ESBUILD, format: "esm", outfile });
    cpSync(library, join(built, name, "plan", "portlease.wasm"));
    return `built/${name}/bundle.mjs`;
  },
};

const ESBUILD = { bundle: true, minify: true, target: "es2022", logLevel: "warning" };
const library = join(here, "node_modules/portlease/dist/plan/portlease.wasm");

test("the answers say something", () => {
  const answers = JSON.parse(expected);
  assert.deepEqual(answers, {
    port: 5174,
    same: true,
    next: 5200,
    vite: [5173, 5273],
    blocked: true,
    ranges: [[3000, 3005]],
    refusal: "INVALID_PORT",
    snapshot: "INVALID_SNAPSHOT",
  });
});

for (const script of ["main.mjs", "main.cjs", "thread.mjs"]) {
  test(`Node.js: ${script}`, async () => {
    assert.equal(await run(join(scripts, script)), expected);
  });
}

for (const format of ["esm", "cjs"]) {
  test(`Node.js, bundled by esbuild into one file (${format})`, async () => {
    const outfile = join(built, `server-${format}`, `server.${format === "esm" ? "mjs" : "cjs"}`);
    const loader = { ".wasm": "binary" };
    const banner = format === "esm" ? { js: REQUIRE } : {};
    await esbuild({ entryPoints: [join(scripts, "given.mjs")], ...ESBUILD, platform: "node", format, loader, banner, outfile });
    assert.equal(await run(outfile), expected);
  });
}

/** What esbuild wants for whatever is CommonJS in a bundle that is none. */
const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url); const __dirname = "";';

for (const [name, bundle] of Object.entries(BUNDLERS)) {
  test(`a page bundled by ${name}`, async () => {
    assert.equal(await visit(await bundle("main.mjs", `page-${name.replace(/\W/g, "")}`)), expected);
  });
}

for (const name of ["vite", "webpack"]) {
  test(`a worker bundled by ${name}`, async () => {
    assert.equal(await visit(await BUNDLERS[name]("page-with-worker.mjs", `worker-${name}`)), expected);
  });
}

test("a page of Vite's dev server", async () => {
  const config = { configFile: false, root: here, logLevel: "warn", cacheDir: join(built, "cache") };
  const dev = await viteServer({ ...config, server: { host: "127.0.0.1", port: 0 } });
  try {
    writeFileSync(join(built, "dev.html"), '<link rel="icon" href="data:,"><script type="module" src="/planner/main.mjs"></script>');
    await dev.listen();
    const { port } = dev.httpServer.address();
    assert.equal(await answerOf(browser, `http://127.0.0.1:${port}/built/dev.html`), expected);
  } finally {
    await dev.close();
  }
});

test("a page without a bundler", async () => {
  assert.equal(await visit("planner/bare.mjs"), expected);
});

test("a worker without a bundler", async () => {
  assert.equal(await visit("planner/bare-with-worker.mjs"), expected);
});

test("whoever does not wait for the library is told to", async () => {
  assert.match(await visit("planner/unready.mjs"), /^NOT_READY: .*`await init\(\)`/);
});

test("the policy holds: without WebAssembly in it, nothing is planned", async () => {
  const strict = await serve(here, { "content-security-policy": POLICY.replace(" 'wasm-unsafe-eval'", "") });
  try {
    await assert.rejects(answerOf(browser, `${strict.url}/planner/bare.mjs.html`), /WebAssembly[^]*Content Security Policy/);
  } finally {
    strict.close();
  }
});

/** There is no workerd for musl. */
const hasWorkerd = process.platform !== "linux" || process.report.getReport().header.glibcVersionRuntime !== undefined;

test("an edge runtime", { skip: !hasWorkerd }, async () => {
  const folder = join(built, "edge");
  const options = { bundle: true, format: "esm", external: ["*.wasm?module"], conditions: ["workerd"] };
  await esbuild({ entryPoints: [join(scripts, "edge.mjs")], ...options, outfile: join(folder, "worker.mjs"), logLevel: "warning" });
  cpSync(library, join(folder, "portlease.wasm"));
  writeFileSync(join(folder, "config.capnp"), EDGE);
  const { default: workerd } = require("workerd");
  const child = spawn(workerd, ["serve", "config.capnp", "--socket-addr=http=127.0.0.1:0", "--control-fd=3"], {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  try {
    const port = await new Promise((resolve, reject) => {
      child.once("exit", (code) => reject(new Error(`workerd ended with ${code}`)));
      child.stdio[3].on("data", (line) => {
        const { event, port } = JSON.parse(line);
        if (event === "listen") {
          resolve(port);
        }
      });
    });
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), expected);
  } finally {
    child.removeAllListeners("exit");
    child.kill("SIGKILL");
  }
});

const EDGE = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "planner", worker = .planner)], sockets = [(name = "http", service = "planner")]);
const planner :Workerd.Worker = (
  modules = [
    (name = "worker.mjs", esModule = embed "worker.mjs"),
    (name = "plan/portlease.wasm?module", wasm = embed "portlease.wasm"),
  ],
  compatibilityDate = "2026-01-01",
);
`;

test("nothing in the package evaluates text", () => {
  for (const file of ["plan.mjs", "plan.edge.mjs", "plan.cjs", "plan/glue.cjs", "plan/engine.cjs"]) {
    const text = readFileSync(join(here, "node_modules/portlease/dist", file), "utf8");
    assert.doesNotMatch(text, /\beval\s*\(|\bnew Function\b|\bFunction\s*\(/, file);
  }
});
