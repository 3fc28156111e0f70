/** Finds the native library: in the package for this platform, or, while Portlease is developed, beside this file. */

import { fileURLToPath } from "node:url";

import { readFileUrls } from "./json.cjs";
import { advice, candidates } from "./platform.cjs";

/** The functions of `bindings/node`. What they take and answer is JSON, and so is the message of what they throw. */
export interface Native {
  version(): string;
  open(opening: string): Promise<NativeRegistry>;
  openSync(opening: string): NativeRegistry;
  keyOf(wish: string, variables: string): string;
  portOfRun(told: string, wish: string, variables: string): number | null;
  tellRun(begun: string): string;
  answers(snapshot: string | undefined, asks: string[]): string[];
}

/** A registry that is open. */
export interface NativeRegistry {
  ask(call: string): Promise<string>;
  askSync(call: string): string;
  reserve(wish: string): Promise<NativeGrants>;
  reserveSync(wish: string): NativeGrants;
  confirmPlan(plan: string): Promise<NativeGrants>;
  confirmPlanSync(plan: string): NativeGrants;
  close(): void;
}

/** The grants of one request, each by its index. */
export interface NativeGrants {
  tell(): string;
  act(index: number, act: string): Promise<string>;
  actSync(index: number, act: string): string;
  openGate(index: number): void;
  closeGate(index: number): void;
  letGo(index: number): void;
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

readFileUrls(fileURLToPath);

/** The native library of this platform. */
export const native: Native = load();
