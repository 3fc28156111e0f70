/** Finds the native library: in the package for this platform, or, while Portlease is developed, beside this file. */

import { advice, candidates } from "./platform.cjs";

/** The functions of `bindings/node`. */
export interface Native {
  version(): string;
}

function load(): Native {
  const failures: unknown[] = [];
  for (const place of [...candidates().map((name) => `${name}/portlease.node`), "./portlease.node"]) {
    try {
      return require(place) as Native;
    } catch (error) {
      if ((error as { code?: unknown } | null)?.code !== "MODULE_NOT_FOUND") {
        failures.push(error);
      }
    }
  }
  const reason = failures.length > 0 ? failures.map(String).join(" ") : advice();
  throw new Error(`Portlease cannot load its native library. ${reason}`, { cause: failures[0] });
}

/** The native library of this platform. */
export const native: Native = load();
