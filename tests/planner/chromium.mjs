// Measures the planner in a page of Chromium: `node chromium.mjs PACKAGE SNAPSHOT STAYS ONCE`.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { launch, POLICY, serve } from "../packed/project/planner/browser.mjs";
import { measure } from "./measure.mjs";

const [home, snapshot, stays, once] = process.argv.slice(2);
const { chromium } = createRequire(join(home, "package.json"))("playwright-core");
// A page that shares nothing with others gets a clock of 5 µs, and of 100 µs otherwise.
const isolated = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
const server = await serve(join(home, "dist"), { "content-security-policy": POLICY, ...isolated });
const browser = await launch(chromium);
try {
  const page = await browser.newPage();
  await page.goto(`${server.url}/plan.mjs.html`);
  const question = { address: "/plan.mjs", snapshot: readFileSync(snapshot, "utf8"), stays: Number(stays), once: Number(once) };
  console.log(JSON.stringify(await page.evaluate(measure, question)));
} finally {
  await browser.close();
  server.close();
}
