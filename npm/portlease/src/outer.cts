/** The run that this process is part of, or begins for its children: see `OuterRun` in the crate `portlease`. */

import type { Port } from "../types.js";
import { type Wish, variables } from "./allocator.cjs";
import { toPortleaseError } from "./error.cjs";
import { toJson } from "./json.cjs";
import { native } from "./native.cjs";

/** The name of the variable in which a run tells its ports. */
const VARIABLE = "PORTLEASE_RUN";

/** A service of a project. */
export interface Key {
  project: string;
  service: string;
}

/** Which service of which project a wish is about. */
export function keyOf(wish: Wish): Key {
  return guarded(() => JSON.parse(native.keyOf(toJson(wish), toJson(variables()))) as Key);
}

/** The port that the run around this process has for the service of a wish. Whoever gets one leases none. */
export function portOfRun(wish: Wish): Port | undefined {
  const told = process.env[VARIABLE];
  if (told === undefined) {
    return undefined;
  }
  return guarded(() => native.portOfRun(told, toJson(wish), toJson(variables()))) ?? undefined;
}

/** Tells those whom this process starts that the service has its port. */
export function tellRun(key: Key, port: Port): void {
  process.env[VARIABLE] = guarded(() => native.tellRun(toJson({ project: key.project, service: key.service, port })));
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toPortleaseError(error);
  }
}
