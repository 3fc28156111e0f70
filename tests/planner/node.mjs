// Measures the planner in Node.js: `node node.mjs PACKAGE SNAPSHOT STAYS ONCE`.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { measure } from "./measure.mjs";

const [home, snapshot, stays, once] = process.argv.slice(2);
const address = pathToFileURL(join(home, "esm", "plan.mjs")).href;
const measured = await measure({ address, snapshot: readFileSync(snapshot, "utf8"), stays: Number(stays), once: Number(once) });
console.log(JSON.stringify(measured));
