// Builds the package for development and runs its tests against that. What is given is passed on to Node's test runner.
//
//   node scripts/test.mjs [--test-name-pattern=…]

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = (parameters) => {
  const { status } = spawnSync(process.execPath, parameters, { cwd: root, stdio: "inherit" });
  if (status !== 0) {
    process.exit(status ?? 1);
  }
};

node([join(root, "scripts", "build.mjs")]);
const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
node([join(dirname(manifest), "bin", "tsc"), "--project", join(root, "test", "types")]);
const tests = readdirSync(join(root, "test")).filter((name) => /\.test\.[cm]js$/.test(name));
node(["--test", ...process.argv.slice(2), ...tests.map((name) => join("test", name))]);
