// Which native library is loaded, and what is said when there is none.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { copy, home, platforms, project, run, text } from "./helpers/project.mjs";

const deadline = { timeout: 60_000 };
const library = nativeLibrary();

const load = ["-e", "process.stdout.write(require('portlease').version)"];

test("the library of the platform package is loaded", deadline, async (t) => {
  const made = project(t, { [platforms[0]]: { "portlease.node": copy(library) } });
  const said = await run(made, load);
  assert.deepEqual(said, { code: 0, signal: null, stdout: version(), stderr: "" });
});

test("a missing platform package is named, and what helps", deadline, async (t) => {
  const said = await run(project(t), load);
  assert.notEqual(said.code, 0);
  assert.match(said.stderr, /The package @portlease\/\S+ is not installed.*`npm install --include=optional`/);
  const [, named] = /The package (@portlease\/\S+) is/.exec(said.stderr);
  assert.ok(platforms.includes(named), `${named} is not for this machine`);
});

test("an unknown platform is told the known ones", deadline, async (t) => {
  const made = project(t);
  const preload = join(made.root, "elsewhere.cjs");
  writeFileSync(preload, `Object.defineProperty(process, "platform", { value: "sunos" });`);
  const said = await run(made, ["--require", preload, ...load]);
  assert.notEqual(said.code, 0);
  assert.match(said.stderr, /There is none for sunos-\w+, only for linux-x64-gnu, .*win32-x64-msvc\./);
});

test("a library that does not load is told with the reason", deadline, async (t) => {
  const made = project(t, { [platforms[0]]: { "portlease.node": text("no library") } });
  const said = await run(made, load);
  assert.notEqual(said.code, 0);
  assert.match(said.stderr, /cannot load its native library\. .*portlease\.node/);
});

if (process.platform === "linux") {
  test("with the packages of both C libraries the one that loads is taken", deadline, async (t) => {
    const [first, second] = platforms;
    const made = project(t, {
      [first]: { "portlease.node": text("of another C library") },
      [second]: { "portlease.node": copy(library) },
    });
    assert.equal((await run(made, load)).stdout, version());
  });
}

function version() {
  return createRequire(import.meta.url)("portlease").version;
}

/** The library that the package itself loads here. */
function nativeLibrary() {
  const { resolve } = createRequire(join(home, "dist", "native.cjs"));
  const places = [...platforms.map((name) => `${name}/portlease.node`), "./portlease.node"];
  for (const place of places) {
    try {
      return resolve(place);
    } catch {
      // It is at another of the places, or this fails below.
    }
  }
  throw new Error(`nothing of ${places.join(", ")} is there`);
}
