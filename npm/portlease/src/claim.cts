/** The ports of the dev servers of this process, for the plugins. */

import type { Port, Refusal } from "../types.js";
import { Allocator, type Wish } from "./allocator.cjs";
import { isPortleaseError } from "./error.cjs";
import type { Grant } from "./grant.cjs";
import { portOfRun } from "./outer.cjs";

/** What can be said to each of the plugins. */
export interface PluginOptions {
  /** The project; without it, it is the one that the folder belongs to. */
  projectId?: string;
  /** The service of the project that the server is; its main one when nothing is said. */
  service?: string;
  /** Ports to try first, in this order. */
  preferred?: Iterable<Port>;
  /** The ports to choose from, in place of the framework's. */
  range?: readonly [first: Port, last: Port];
}

/** For how long a server that may be about to start anew keeps its port, in milliseconds. */
const LINGERING = 1_000;

/** A port that a server of this process has, or will have. */
export interface Claim {
  /** The port. */
  readonly port: Port;
  /** Says that the server listens, on this port when it is another. Nobody has to wait for it. */
  listens(port?: Port): Promise<void>;
  /** Waits until the server listens, and says so. The process does not live on for that. */
  awaitServer(): Promise<void>;
  /** Says that the server is gone. Twice is once. */
  leave(how?: { lingers: boolean }): void;
}

/** What is wished for the server of a project in a folder. */
export type ServerWish = Wish & { cwd: string };

/** Where all copies of this module that a process may load find what is claimed. */
const PLACE = Symbol.for("portlease.claims");

function claims(): Map<string, Shared> {
  const holder = globalThis as { [PLACE]?: Map<string, Shared> };
  if (holder[PLACE] === undefined) {
    const all = new Map<string, Shared>();
    holder[PLACE] = all;
    process.once("exit", () => all.forEach((shared) => shared.release()));
  }
  return holder[PLACE];
}

/**
 * What the servers of one service share. A server that starts anew in place claims before its predecessor leaves, and has the same port:
 * whoever leaves last, releases.
 */
class Shared {
  #servers = 0;
  #port: Port = 0;
  #grant: Grant | undefined;
  /** By what it was obtained. Whoever wishes the same has it already. */
  #wish: string | undefined;
  #lastTurn: Promise<unknown> = Promise.resolve();
  readonly #end: () => void;

  constructor(end: () => void) {
    this.#end = end;
  }

  async claim(wish: ServerWish, ofRun: Wish): Promise<Claim> {
    this.#servers += 1;
    const turn = this.#lastTurn.then(() => this.#obtain(wish, ofRun));
    this.#lastTurn = turn.catch(() => {});
    try {
      await turn;
    } catch (error) {
      this.#leave();
      throw error;
    }
    let hasLeft = false;
    const leave = (): void => {
      if (!hasLeft) {
        hasLeft = true;
        this.#leave();
      }
    };
    return {
      port: this.#port,
      listens: (port) => this.#confirm((grant) => grant.confirm(port === undefined || port === grant.port ? {} : { port })),
      awaitServer: () => this.#confirm((grant) => grant.confirmWhenListening({ keepAlive: false })),
      leave: ({ lingers } = { lingers: false }) => {
        if (lingers) {
          setTimeout(leave, LINGERING).unref();
        } else {
          leave();
        }
      },
    };
  }

  /** What cannot be given back is swept when this process has ended. */
  release(): void {
    try {
      this.#grant?.releaseSync();
    } catch {}
  }

  async #obtain(wish: ServerWish, ofRun: Wish): Promise<void> {
    const text = JSON.stringify(wish);
    if (text === this.#wish) {
      return;
    }
    const port = portOfRun(ofRun);
    if (port !== undefined) {
      this.#port = port;
    } else {
      this.#take(await reserve(wish));
    }
    this.#wish = text;
  }

  #take(grant: Grant): void {
    const before = this.#grant;
    if (before?.generation === grant.generation) {
      // The lease is the same, and the first grant holds its port.
      grant.letGo();
      return;
    }
    before?.letGo();
    grant.openGate();
    this.#grant = grant;
    this.#port = grant.port;
  }

  /** The gate stays open as long as there is a server: one that starts anew in place needs it again. */
  async #confirm(confirm: (grant: Grant) => Promise<unknown>): Promise<void> {
    const grant = this.#grant;
    if (grant !== undefined) {
      await confirm(grant);
      grant.openGate();
    }
  }

  #leave(): void {
    this.#servers -= 1;
    if (this.#servers === 0) {
      this.#end();
      this.release();
    }
  }
}

async function reserve(wish: ServerWish): Promise<Grant> {
  const allocator = await Allocator.open({ cwd: wish.cwd });
  try {
    return await allocator.reserve(wish);
  } finally {
    allocator.close();
  }
}

/** Claims the port of a dev server, unless a run around this process has it already, by this wish or by the one that is given for that. */
async function claim(wish: ServerWish, ofRun: Wish): Promise<Claim> {
  const all = claims();
  const key = JSON.stringify([wish.cwd, wish.projectId, wish.service]);
  const shared = all.get(key) ?? new Shared(() => all.delete(key));
  all.set(key, shared);
  return shared.claim(wish, ofRun);
}

/** The codes of what the user has to put right. */
const MISTAKES: Record<Refusal["code"] | "INVALID_ARGUMENT" | "INVALID_CONFIG" | "UNKNOWN_PRESET", true> = {
  INVALID_PORT: true,
  INVALID_RANGE: true,
  INVALID_NAME: true,
  INVALID_POOLS: true,
  NO_SERVICES: true,
  DUPLICATE_SERVICE: true,
  UNKNOWN_SERVICE: true,
  DEPENDENCY_CYCLE: true,
  UNKNOWN_POOL: true,
  CONFLICT_UNRESOLVED: true,
  PORT_UNAVAILABLE: true,
  RANGE_EXHAUSTED: true,
  LEASE_NOT_FOUND: true,
  NOT_OWNER: true,
  PLAN_OUTDATED: true,
  INVALID_ARGUMENT: true,
  INVALID_CONFIG: true,
  UNKNOWN_PRESET: true,
};

/** Whether an error is about what the user wants. Whatever else goes wrong is no reason to be without a server. */
export function isMistake(error: unknown): boolean {
  return isPortleaseError(error) && error.code in MISTAKES;
}

/** {@link claim}, when the server may choose its port if Portlease cannot be asked: then there is no claim, and a warning. */
export async function tryToClaim(
  wish: ServerWish,
  warn: (message: string) => void,
  ofRun: Wish = wish,
): Promise<Claim | undefined> {
  try {
    return await claim(wish, ofRun);
  } catch (error) {
    if (isMistake(error)) {
      throw error;
    }
    warn(`Portlease gives no port, so the server chooses one. ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** What the options of a plugin wish for a server in a folder. */
export function wished(options: PluginOptions, cwd: string, framework: string, own: OwnPort = {}): ServerWish {
  const { projectId, service, preferred, range } = options;
  const first = own.isStrict === true || own.port === undefined ? [] : [own.port];
  return {
    cwd,
    detectedFramework: framework,
    preferred: [...first, ...(preferred ?? [])],
    ...(projectId !== undefined && { projectId }),
    ...(service !== undefined && { service }),
    ...(range !== undefined && { basePort: range[0], maxPort: range[1] }),
    ...(own.isStrict === true && own.port !== undefined && { port: own.port }),
  };
}

/** The port that the user said to the server itself. */
export interface OwnPort {
  port?: Port | undefined;
  isStrict?: boolean | undefined;
}
