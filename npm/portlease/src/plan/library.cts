/**
 * Where the library of `bindings/wasm` is, for Node.js: a file beside this one. For browsers and edge runtimes `scripts/plan.mjs` puts
 * another module in its place, with the same functions.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Module } from "./webassembly.cjs";

/** The library, where it can be had without waiting. */
export function now(): object | undefined {
  return new Module(readFileSync(join(__dirname, "portlease.wasm")));
}

/** The address of the library, where it has to be fetched. */
export function address(): string | URL | undefined {
  return undefined;
}
