/** The planner's library, which is instantiated when something is first asked. */

import { PortleaseError } from "../error.cjs";
import * as glue from "./glue.cjs";
import { library } from "./library.cjs";

/** What the library answers. */
type Answer = { ok: unknown } | { error: { code: string; message: string; details: Record<string, unknown> } };

/** WebAssembly is everywhere where this runs, but not in the types of everybody who compiles with it. */
declare const WebAssembly: {
  Instance: new (module: object, imports: object) => { exports: { __wbindgen_start?: () => void } };
};

let isReady = false;

function engine(): typeof glue {
  if (!isReady) {
    const { exports } = new WebAssembly.Instance(library(), { "./portlease_wasm_bg.js": glue });
    glue.__wbg_set_wasm(exports);
    exports.__wbindgen_start?.();
    isReady = true;
  }
  return glue;
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
