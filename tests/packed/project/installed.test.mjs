// What an installation of the package brings, and that its command line is the real one.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";

import * as esm from "portlease";

const require = createRequire(import.meta.url);
const manifest = require("portlease/package.json");
const at = (path) => new URL(path, import.meta.url);

/** What somebody in this project types into a shell. */
const type = (command) => spawnSync(command, { cwd: at("."), encoding: "utf8", shell: true });

test("npm took the platform package for this machine, and no other", () => {
  const names = readdirSync(at("node_modules/@portlease"));
  assert.equal(names.length, 1, names.join(" "));
  assert.match(names[0], new RegExp(`^${process.platform}-${process.arch}`));
});

test("all packages are of one version, and so is the library", () => {
  const [name] = readdirSync(at("node_modules/@portlease"));
  assert.equal(require(`@portlease/${name}/package.json`).version, manifest.version);
  assert.equal(manifest.optionalDependencies[`@portlease/${name}`], manifest.version);
  assert.equal(esm.version, manifest.version);
});

test("nothing but what a user needs is in the package", () => {
  const files = readdirSync(at("node_modules/portlease")).sort();
  const expected = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "bin", "dist", "esm", "package.json", "types.d.ts"];
  assert.deepEqual(files, expected);
  assert.equal(manifest.devDependencies, undefined);
  assert.ok(!existsSync(at("node_modules/portlease/dist/portlease.node")));
});

test("every entry loads both ways, and both are the same one", async () => {
  // One of them leases a port as soon as it is loaded.
  process.env.PORTLEASE_REGISTRY = "memory:";
  for (const entry of Object.keys(manifest.exports)) {
    if (/\.(json|wasm)$/.test(entry)) {
      continue;
    }
    const name = entry.replace(".", "portlease");
    const [imported, required] = [await import(name), require(name)];
    assert.deepEqual(Object.keys(imported).filter((key) => key in required).sort(), Object.keys(required).sort(), name);
    for (const [key, value] of Object.entries(required)) {
      assert.equal(imported[key], value, `${key} of ${name}`);
    }
  }
});

test("`npx portlease` is the whole command line", () => {
  const { status, stdout, stderr } = type("npx portlease --version");
  assert.deepEqual([status, stdout.trim(), stderr.replace(/^npm warn.*\n/gm, "")], [0, `portlease ${manifest.version}`, ""]);
  assert.match(type("npx portlease --help").stdout, /\brun\b[\s\S]*\bdoctor\b/);
});

test("what the command line refuses, it refuses with its own exit code", () => {
  const { status, stderr } = type("npx portlease no-such-command");
  assert.equal(status, 2, stderr);
  assert.match(stderr, /no-such-command/);
});
