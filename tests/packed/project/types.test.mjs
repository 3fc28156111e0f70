// The types, as the compilers of strict users see them.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { publint } from "publint";
import { formatMessage } from "publint/utils";

const require = createRequire(import.meta.url);
const here = dirname(fileURLToPath(import.meta.url));

/** Runs a program of an installed package. */
function run(name, bin, ...parameters) {
  const path = join(dirname(require.resolve(`${name}/package.json`)), bin);
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...parameters], { cwd: here, encoding: "utf8" });
  assert.equal(status, 0, `${stdout}${stderr}`);
}

for (const resolution of ["node16", "bundler"]) {
  test(`a strict project compiles with ${resolution} resolution`, () => {
    run("typescript", "bin/tsc", "--project", `tsconfig.${resolution}.json`);
  });
}

test("publint finds nothing", async () => {
  const pkgDir = join(here, "node_modules", "portlease");
  const { messages, pkg } = await publint({ pkgDir, pack: false, strict: true });
  assert.deepEqual(messages.map((message) => formatMessage(message, pkg, { color: false })), []);
});

test("arethetypeswrong finds nothing", () => {
  const archive = readdirSync(join(here, "..")).find((name) => /^portlease-\d.*\.tgz$/.test(name));
  const path = join("..", archive);
  // The resolution of Node.js 10 knows no `exports`, and everything supported is newer by ten years.
  run("@arethetypeswrong/cli", "dist/index.js", path, "--profile", "node16", "--format", "ascii", "--no-emoji");
});
