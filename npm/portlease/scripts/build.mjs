// Builds the package for development: the TypeScript into dist/, and the binding beside it, where src/native.cts finds it.
//
//   node scripts/build.mjs            both
//   node scripts/build.mjs --ts       the TypeScript alone
//   node scripts/build.mjs --release  the binding optimized, as it is shipped

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const flags = process.argv.slice(2);

compile();
if (!flags.includes("--ts")) {
  bind();
}

function compile() {
  const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
  run(process.execPath, [join(dirname(manifest), "bin", "tsc"), "--project", root]);
}

function bind() {
  const profile = flags.includes("--release") ? ["--release"] : [];
  const format = "--message-format=json-render-diagnostics";
  const said = run("cargo", ["build", "--package", "portlease-node", format, ...profile]);
  const built = said
    .split("\n")
    .filter((line) => line.startsWith('{"reason":"compiler-artifact"'))
    .map((line) => JSON.parse(line))
    .find((artifact) => artifact.target.name === "portlease_node");
  const library = built?.filenames.find((name) => /\.(so|dylib|dll)$/.test(name));
  if (library === undefined) {
    throw new Error("cargo built no library of the name portlease_node");
  }
  const home = join(root, "dist", "portlease.node");
  mkdirSync(dirname(home), { recursive: true });
  // A process that runs may have the old one loaded: it keeps that file, and this is another.
  rmSync(home, { force: true });
  copyFileSync(library, home);
}

function run(command, parameters) {
  const { status, stdout, error } = spawnSync(command, parameters, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 30,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (error !== undefined) {
    throw error;
  }
  if (status !== 0) {
    process.stdout.write(stdout);
    process.exit(status ?? 1);
  }
  return stdout;
}
