/** The planner's library: how it gets ready, and what it is asked. */

import { PortleaseError } from "../error.cjs";
import * as glue from "./glue.cjs";
import { address, now } from "./library.cjs";
import { compile, Instance, Module } from "./webassembly.cjs";

/** What the library answers. */
type Answer = { ok: unknown } | { error: { code: string; message: string; details: Record<string, unknown> } };

let isReady = false;

/** Makes the library ready, out of the one that is given or out of the one that belongs here. */
export async function ready(library?: string | object): Promise<void> {
  if (!isReady) {
    const module = await moduleOf(library ?? address() ?? now());
    // Two may have waited for it.
    if (!isReady) {
      instantiate(module);
    }
  }
}

async function moduleOf(library: string | object | undefined): Promise<object> {
  if (typeof library === "string" || library instanceof URL) {
    const response = await fetch(library);
    if (!response.ok) {
      throw unready(`${response.url} answered ${response.status}.`);
    }
    return compile(await response.arrayBuffer());
  }
  if (library instanceof ArrayBuffer || ArrayBuffer.isView(library)) {
    return compile(library);
  }
  if (library instanceof Module) {
    return library;
  }
  throw unready("What was given is neither an address nor bytes nor a WebAssembly.Module.");
}

function instantiate(module: object): void {
  const { exports } = new Instance(module, { "./portlease_wasm_bg.js": glue });
  glue.__wbg_set_wasm(exports);
  exports.__wbindgen_start?.();
  isReady = true;
}

function engine(): typeof glue {
  if (!isReady) {
    const module = now();
    if (module === undefined) {
      throw unready("Here it has to be fetched: call `await init()` once, before anything else.");
    }
    instantiate(module);
  }
  return glue;
}

function unready(problem: string): PortleaseError {
  return new PortleaseError("NOT_READY", `The planner has no library yet. ${problem}`);
}

/** Answers a question about no host in particular. */
export function ask<T>(question: string): T {
  return opened(engine().answer(question));
}

/** A host that the library has read. */
export class Host {
  #planner: glue.Planner | undefined;

  constructor(snapshot: string) {
    const { Planner } = engine();
    this.#planner = guarded(() => new Planner(snapshot));
  }

  /** Answers a question about the host. */
  ask<T>(question: string): T {
    if (this.#planner === undefined) {
      throw new PortleaseError("CLOSED", "This planner was freed. Make another one.");
    }
    return opened(this.#planner.answer(question));
  }

  /** Gives back its memory, which otherwise waits for the garbage collector. */
  free(): void {
    this.#planner?.free();
    this.#planner = undefined;
  }
}

function opened<T>(text: string): T {
  const answer = JSON.parse(text) as Answer;
  if ("error" in answer) {
    const { code, message, details } = answer.error;
    throw new PortleaseError(code, message, details);
  }
  return answer.ok as T;
}

/** What the library throws is the answer that says what is wrong. */
function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw typeof thrown === "string" ? opened(thrown) : thrown;
  }
}
