// The native library answers the vectors as Rust does.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { check, total } from "./helpers/vectors.mjs";

const require = createRequire(import.meta.url);
const folder = process.env.VECTORS ?? fileURLToPath(new URL("../../../tests/vectors", import.meta.url));
const read = (name) => readFileSync(join(folder, name), "utf8");
const index = JSON.parse(read("index.json"));

test("the index names all files", () => {
  const files = readdirSync(folder).filter((name) => name !== "index.json");
  assert.deepEqual(files.sort(), Object.keys(index).sort());
  assert.ok(total(index) >= 150);
});

test("the native library answers all vectors", async () => {
  // No door leads to this function, which nobody but this test needs.
  const { native } = require(join(dirname(require.resolve("portlease/package.json")), "dist", "native.cjs"));
  assert.equal(await check(index, read, native.answers), total(index));
});

test("an answer that differs by a byte is found", async () => {
  const last = Object.keys(index).at(-1);
  const one = { [last]: index[last] };
  await assert.rejects(check(one, read, (_, asks) => asks.map(() => "{}")), /was answered\n\{\}\nand not/);
  await assert.rejects(check({ [last]: index[last] + 1 }, read, () => []), /by the index/);
});
