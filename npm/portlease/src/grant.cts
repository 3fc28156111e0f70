// A project without the types of Node.js knows `Symbol.dispose` by this.
/// <reference lib="esnext.disposable" preserve="true" />

/** Ports that are leased and held, until their server listens or they are released. */

import type { Allocation, Generation, Lease, Move, Name, Outcome, Port, Tier, Trace } from "../types.js";
import { PortleaseError, toPortleaseError } from "./error.cjs";
import { invalid, named, options, type PlainObject, toJson } from "./json.cjs";
import type { NativeGrants } from "./native.cjs";

/** How long a server may take to listen when nothing is said, in milliseconds: as long as `portlease run` gives it. */
const TIMEOUT = 120_000;
/** How long after each look the next one is taken, in milliseconds. A look takes some microseconds, on another thread. */
const PAUSE = 10;

/**
 * The grants that hold their ports. Without it, one that the program will not ask again could be collected as garbage, and its port be
 * anybody's.
 */
const HOLDING = new Set<Grant>();

/** What {@link Grant.confirmWhenListening} waits for, and for how long. */
export interface Waiting {
  /** The server's process, or one that started it. Without it, it is the holder of the lease: this process, usually. */
  pid?: number;
  /** How long, in milliseconds; 120,000 when nothing is said. */
  timeout?: number;
  /** Ends the waiting. */
  signal?: Signal;
  /** Whether the process lives on for the waiting alone; true when nothing is said. */
  keepAlive?: boolean;
}

/** As much of an `AbortSignal` as is needed. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** What {@link Grant.confirm} says about the server. */
export interface Listening {
  /** The process that listens, when it is not the holder of the lease. */
  pid?: number;
  /** The port on which it listens, when it is not the granted one. */
  port?: number;
}

/** What all grants of a request share. */
interface Told {
  instance: number;
  moves: Move[];
  warnings: string[];
  trace: Trace;
  grants: { allocation: Allocation; lease: Lease }[];
}

/**
 * A leased port. Nobody else can bind it until it is let go, or until its server listens.
 *
 * ```js
 * import { createServer } from "node:http";
 * import { Allocator } from "portlease";
 *
 * const allocator = await Allocator.open();
 * await using grant = await allocator.reserve({ projectId: "shop", framework: "node" });
 * const server = createServer((_, response) => response.end("hello"));
 * grant.openGate();
 * server.listen(grant.port);
 * await grant.confirmWhenListening();
 * console.log(grant.url);
 * ```
 *
 * When a grant is neither released nor disposed of, its lease stays for as long as this process lives.
 */
export class Grant implements Allocation {
  /** The port. */
  readonly port: Port;
  /** The framework whose range it is from. */
  readonly framework: Name;
  /** The address to open. */
  readonly url: string;
  /** The project. */
  readonly project: Name;
  /** The service. */
  readonly service: Name;
  /** Which instance of the project it is. */
  readonly instance: number;
  /** What a confirmation or a release has to name. */
  readonly generation: Generation;
  /** How the service came to the lease. */
  readonly outcome: Outcome;
  /** The way by which the port was found. */
  readonly tier: Tier;
  /** The port that the service had before, when it had another. */
  declare readonly previousPort?: Port;
  /** Other services that had to make way. Whoever supervises them restarts them. */
  readonly moves: Move[];
  /** What the user should know, such as a variable that is no port. */
  readonly warnings: string[];
  /** Everything that was looked at, and why it came out so. */
  readonly trace: Trace;

  #lease: Lease;
  readonly #native: NativeGrants;
  readonly #index: number;
  #isReleased = false;

  /** Made by {@link Allocator.reserve}. */
  constructor(native: NativeGrants, index: number, allocation: Allocation, lease: Lease, trace: Trace) {
    this.port = allocation.port;
    this.framework = allocation.framework;
    this.url = allocation.url;
    this.project = allocation.project;
    this.service = allocation.service;
    this.instance = allocation.instance;
    this.generation = allocation.generation;
    this.outcome = allocation.outcome;
    this.tier = allocation.tier;
    if (allocation.previousPort !== undefined) {
      this.previousPort = allocation.previousPort;
    }
    this.moves = allocation.moves;
    this.warnings = allocation.warnings;
    this.trace = trace;
    this.#lease = lease;
    this.#native = native;
    this.#index = index;
    HOLDING.add(this);
  }

  /** The lease, as it was when this grant last heard of it. */
  get lease(): Lease {
    return this.#lease;
  }

  /**
   * Lets the intended server in: one of this process, or of a process that is started now. Keep it open no longer than the server
   * needs to listen. A server that starts anew in place, as Vite's does, needs it open all the time.
   *
   * Where the platform has no such gate (macOS, Windows), the port is let go.
   */
  openGate(): void {
    guarded(() => this.#native.openGate(this.#index));
  }

  /** Shuts everybody else out again. Whoever listens by now goes on. */
  closeGate(): void {
    guarded(() => this.#native.closeGate(this.#index));
  }

  /** Lets go of the port at the operating system, for a server that cannot come in by the gate. The lease stays. */
  letGo(): void {
    guarded(() => this.#native.letGo(this.#index));
    HOLDING.delete(this);
  }

  /** Says that the server listens, and closes the gate. */
  async confirm(listening: Listening = {}): Promise<Lease> {
    return this.#learn(await this.#act("confirm", listening));
  }

  /** {@link confirm}, in place. */
  confirmSync(listening: Listening = {}): Lease {
    return this.#learn(this.#actSync("confirm", listening));
  }

  /**
   * Waits until the server listens on the port, confirms the lease, and closes the gate.
   *
   * It is refused with `PORT_LOST` when another program listens there and stays, `SERVER_ENDED` when the server's process ended,
   * `NOT_LISTENING` when the time is over, `ABORTED` by the signal.
   */
  async confirmWhenListening(waiting: Waiting = {}): Promise<Lease> {
    const { timeout, signal, keepAlive, server } = checked(waiting);
    await this.#act("await", server);
    const begun = performance.now();
    for (;;) {
      if (signal?.aborted === true) {
        throw aborted(this.port, signal);
      }
      const waited = performance.now() - begun;
      if (waited >= timeout) {
        return this.#learn(await this.#act("lookAtLast", { waited: Math.round(waited) }));
      }
      const lease = await this.#act("look");
      if (lease !== null) {
        return this.#learn(lease);
      }
      await pause(Math.min(PAUSE, timeout - waited), signal, keepAlive);
    }
  }

  /** Gives the lease back and lets go of the port. Doing it twice is harmless. */
  async release(): Promise<void> {
    if (!this.#isReleased) {
      HOLDING.delete(this);
      await this.#act("release");
      this.#isReleased = true;
    }
  }

  /** {@link release}, in place. */
  releaseSync(): void {
    if (!this.#isReleased) {
      HOLDING.delete(this);
      this.#actSync("release");
      this.#isReleased = true;
    }
  }

  /** {@link release}, by `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** {@link releaseSync}, by `using`. */
  [Symbol.dispose](): void {
    this.releaseSync();
  }

  /** The allocation and the lease, without the reasons. */
  toJSON(): Allocation & { lease: Lease } {
    const { trace: _, ...data } = this as Allocation & { trace: Trace };
    return { ...data, lease: this.#lease };
  }

  #learn(lease: Lease | null): Lease {
    this.#lease = lease ?? this.#lease;
    return this.#lease;
  }

  async #act(name: string, argument?: unknown): Promise<Lease | null> {
    try {
      return JSON.parse(await this.#native.act(this.#index, act(name, argument))) as Lease | null;
    } catch (error) {
      throw toPortleaseError(error);
    }
  }

  #actSync(name: string, argument?: unknown): Lease | null {
    return guarded(() => JSON.parse(this.#native.actSync(this.#index, act(name, argument))) as Lease | null);
  }
}

/**
 * The grants of several services that got their ports together, in the order in which they were asked for.
 *
 * ```js
 * const grants = await allocator.reserveAll({
 *   projectId: "shop",
 *   services: [{ service: "web", framework: "vite" }, { service: "api", basePort: 4000 }],
 * });
 * console.log(grants.get("api").port);
 * await grants.release();
 * ```
 */
export class Grants implements Iterable<Grant> {
  /** Which instance of the project was granted. */
  readonly instance: number;
  /** Other services that had to make way. Whoever supervises them restarts them. */
  readonly moves: Move[];
  /** What the user should know, such as a variable that is no port. */
  readonly warnings: string[];
  /** Everything that was looked at, and why it came out so. */
  readonly trace: Trace;
  readonly #all: Grant[];

  /** Made by {@link Allocator.reserveAll}. */
  constructor(native: NativeGrants) {
    const told = JSON.parse(native.tell()) as Told;
    this.instance = told.instance;
    this.moves = told.moves;
    this.warnings = told.warnings;
    this.trace = told.trace;
    this.#all = told.grants.map(({ allocation, lease }, index) => new Grant(native, index, allocation, lease, told.trace));
  }

  /** How many there are. */
  get size(): number {
    return this.#all.length;
  }

  /** The grant of a service. */
  get(service: string): Grant | undefined {
    return this.#all.find((grant) => grant.service === service);
  }

  /** The grants, one after the other. */
  [Symbol.iterator](): IterableIterator<Grant> {
    return this.#all.values();
  }

  /** Gives all leases back. */
  async release(): Promise<void> {
    await Promise.all(this.#all.map((grant) => grant.release()));
  }

  /** {@link release}, in place. */
  releaseSync(): void {
    for (const grant of this.#all) {
      grant.releaseSync();
    }
  }

  /** {@link release}, by `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** {@link releaseSync}, by `using`. */
  [Symbol.dispose](): void {
    this.releaseSync();
  }
}

function act(name: string, argument: unknown): string {
  const key = JSON.stringify(name);
  return argument === undefined ? key : `{${key}:${toJson(argument)}}`;
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw toPortleaseError(error);
  }
}

/** The signal is no data, and everything else is read by the native library. */
function checked(waiting: Waiting): {
  timeout: number;
  signal: Signal | undefined;
  keepAlive: boolean;
  server: PlainObject;
} {
  const { signal, rest } = withoutSignal(waiting);
  const { timeout = TIMEOUT, keepAlive = true, ...server } = options(rest);
  if (typeof timeout !== "number" || timeout < 0) {
    throw invalid("timeout", `Here belongs a number of milliseconds, not ${named(timeout)}.`, named(timeout));
  }
  if (typeof keepAlive !== "boolean") {
    throw invalid("keepAlive", `Here belongs true or false, not ${named(keepAlive)}.`, named(keepAlive));
  }
  // A longer time than a timer can take is as good as this one.
  return { timeout: Math.min(timeout, 2 ** 31 - 1), signal, keepAlive, server };
}

function withoutSignal(waiting: Waiting): { signal: Signal | undefined; rest: unknown } {
  let signal: unknown;
  let rest: unknown = waiting;
  try {
    if (typeof waiting === "object" && waiting !== null && "signal" in waiting) {
      const { signal: given, ...others } = waiting;
      signal = given;
      rest = others;
    }
  } catch (error) {
    throw invalid("", "This cannot be read.", "an object", error);
  }
  if (signal !== undefined && !isSignal(signal)) {
    throw invalid("signal", "Here belongs an AbortSignal.", typeof signal);
  }
  return { signal, rest };
}

function isSignal(value: unknown): value is Signal {
  try {
    return typeof (value as Partial<Signal> | null)?.addEventListener === "function";
  } catch {
    return false;
  }
}

function aborted(port: number, signal: Signal): PortleaseError {
  const message = `Nobody waits any more for a server on port ${port}.`;
  return new PortleaseError("ABORTED", message, { port }, { cause: signal.reason });
}

/** Some time, or less when the signal comes. */
function pause(millis: number, signal: Signal | undefined, keepAlive: boolean): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, millis);
    if (!keepAlive) {
      timer.unref();
    }
    signal?.addEventListener("abort", end);
  });
}
