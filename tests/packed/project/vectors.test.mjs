// The planner's library, as it is packed, answers the vectors as Rust does: in Node.js and in a browser.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import { chromium } from "playwright-core";

import { answerOf, launch, serve } from "./planner/browser.mjs";
import { answersOf } from "./planner/vectors.mjs";
import { check, total } from "./test/helpers/vectors.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const home = join(here, "node_modules", "portlease", "dist", "plan");
const read = (name) => readFileSync(join(here, "vectors", name), "utf8");
const index = JSON.parse(read("index.json"));

test("the library answers all vectors in Node.js", async () => {
  const glue = createRequire(import.meta.url)(join(home, "glue.cjs"));
  const answers = await answersOf(glue, readFileSync(join(home, "portlease.wasm")));
  assert.equal(await check(index, read, answers), total(index));
});

test("the library answers all vectors in a browser", async () => {
  const outfile = join(here, "built-vectors", "page.mjs");
  await build({ entryPoints: [join(here, "planner", "vectors-page.mjs")], bundle: true, format: "esm", outfile, logLevel: "warning" });
  const server = await serve(here);
  try {
    const browser = await launch(chromium);
    try {
      assert.equal(await answerOf(browser, `${server.url}/built-vectors/page.mjs.html`), `${total(index)}`);
    } finally {
      await browser.close();
    }
  } finally {
    server.close();
  }
});
