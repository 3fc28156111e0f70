// A project without the types of Node.js knows `Symbol.dispose` by this.
/// <reference lib="esnext.disposable" preserve="true" />

/**
 * Deciding about ports of a machine that nobody here can see: the code by which that machine decides, from a snapshot of it. It runs
 * wherever JavaScript does, and touches no port and no registry.
 */

import type { Change, Explained, Framework, HostSettings, HostSnapshot, Plan, PortSet, PortsWish, Preset, Stats, Trace } from "../types.js";
import type { StatsOptions, Wish, WishForSeveral } from "./allocator.cjs";
import { invalid, options, toJson } from "./json.cjs";
import { ask, Host, ready } from "./plan/engine.cjs";

export type * from "../types.js";
export type { Explanation, StatsOptions, Wish, WishForSeveral } from "./allocator.cjs";
export { isPortleaseError, PortleaseError } from "./error.cjs";

/** A snapshot of a host, or the JSON text of one, such as `portlease export --snapshot` prints. */
export type Snapshot = HostSnapshot | string;

/**
 * Fetches the planner's library, which is done once. Browsers need it before anything else; everywhere else the library is there already.
 *
 * ```js
 * import { init, plan } from "portlease/plan";
 *
 * await init();
 * ```
 *
 * @param library Where the library is, when it was put elsewhere: its address, its bytes, or a `WebAssembly.Module` of it. It is the file
 * `portlease/plan.wasm`.
 */
export function init(library?: string | object): Promise<void> {
  return ready(library);
}

/**
 * Which ports the services of a wish would get on the host of a snapshot. Nobody has them yet: the host confirms the plan, or says what
 * was not as the snapshot said.
 *
 * ```js
 * import { plan } from "portlease/plan";
 *
 * const { reserved } = plan({ host: "runner-7" }, { projectId: "shop", framework: "vite" });
 * console.log(reserved.services[0].lease.port);
 * ```
 *
 * Whoever asks more than once about a snapshot makes a {@link Planner} of it.
 */
export function plan(snapshot: Snapshot, wish: Wish | WishForSeveral): Plan {
  return once(snapshot, (planner) => planner.plan(wish));
}

/** What {@link plan} would answer and why, port by port. */
export function explain(snapshot: Snapshot, wish: Wish | WishForSeveral): Explained & { trace: Trace } {
  return once(snapshot, (planner) => planner.explain(wish));
}

/** The snapshot after changes: those of a plan, or those that the host made since. */
export function applyChanges(snapshot: Snapshot, changes: Iterable<Change>): HostSnapshot {
  return once(snapshot, (planner) => {
    planner.apply(changes);
    return planner.snapshot();
  });
}

function once<T>(snapshot: Snapshot, work: (planner: Planner) => T): T {
  const planner = new Planner(snapshot);
  try {
    return work(planner);
  } finally {
    planner.free();
  }
}

/** The frameworks that are known by name, with their ranges and default ports. */
export function frameworks(): Framework[] {
  return settings().catalog;
}

/** The ranges of services by their kind, for development and for production. */
export function presets(): Preset[] {
  return settings().presets;
}

function settings(): Required<HostSettings> {
  return ask('{"settings":{}}');
}

/** The ports that browsers refuse to open. */
export function browserBlockedPorts(): PortSet {
  return ask('{"browserBlockedPorts":{}}');
}

/** The ports of a text such as `"3000-3010, 4000"`. */
export function parsePorts(text: string): PortSet {
  if (typeof text !== "string") {
    throw invalid("text", 'Here belongs a text, such as "3000-3010, 4000".', typeof text);
  }
  const parts = text.split(",").filter((part) => part.trim() !== "");
  return union(parts.map((part) => part.trim() as PortsWish));
}

/** The ports as a text that {@link parsePorts} reads. */
export function formatPorts(ports: Iterable<PortsWish>): string {
  return union(ports)
    .map((range) => (typeof range === "number" ? `${range}` : range.join("-")))
    .join(", ");
}

/** The ports that are in any of the sets: in order, and without overlaps. */
export function union(...sets: Iterable<PortsWish>[]): PortSet {
  return ask(`{"union":${toJson(sets)}}`);
}

/** The ports that are in all of the sets. */
export function intersection(...sets: Iterable<PortsWish>[]): PortSet {
  return ask(`{"intersection":${toJson(sets)}}`);
}

/** The ports of the first set that are in none of the others. */
export function difference(...sets: Iterable<PortsWish>[]): PortSet {
  return ask(`{"difference":${toJson(sets)}}`);
}

/**
 * Answers many questions about one host. The snapshot is read once.
 *
 * ```js
 * import { Planner } from "portlease/plan";
 *
 * const planner = new Planner({ host: "runner-7" });
 * const shop = planner.plan({ projectId: "shop", framework: "vite" });
 * planner.apply(shop.changes);
 * const blog = planner.plan({ projectId: "blog", framework: "vite" });
 * ```
 */
export class Planner {
  readonly #host: Host;

  /** A planner for the host of a snapshot. */
  constructor(snapshot: Snapshot) {
    this.#host = new Host(snapshotToJson(snapshot));
  }

  /** Which ports the services of a wish would get; see {@link plan}. Like the rest of what is asked, it changes nothing. */
  plan(wish: Wish | WishForSeveral): Plan {
    return this.#host.ask(`{"plan":${toJson(options(wish))}}`);
  }

  /** What {@link Planner.plan} would answer and why, port by port. */
  explain(wish: Wish | WishForSeveral): Explained & { trace: Trace } {
    return this.#host.ask(`{"explain":${toJson(options(wish))}}`);
  }

  /** Takes changes into account: those of a plan, or those that the host made since the snapshot. */
  apply(changes: Iterable<Change>): void {
    this.#host.ask(`{"applyChanges":${asJson("changes", () => [...changes])}}`);
  }

  /** The host as this planner sees it by now. */
  snapshot(): HostSnapshot {
    return this.#host.ask('{"snapshot":{}}');
  }

  /** How full the ranges of the host are. */
  stats(given: StatsOptions = {}): Stats {
    return this.#host.ask(`{"stats":${toJson(options(given))}}`);
  }

  /** Gives back its memory. Without it, the garbage collector does so, some day. */
  free(): void {
    this.#host.free();
  }

  /** The same, for `using`. */
  [Symbol.dispose](): void {
    this.free();
  }
}

/** It came as JSON and may be large, so it is not looked through here: the library reads it. */
function snapshotToJson(snapshot: Snapshot): string {
  return typeof snapshot === "string" ? snapshot : asJson("snapshot", () => snapshot);
}

function asJson(path: string, read: () => unknown): string {
  try {
    return JSON.stringify(read()) ?? "null";
  } catch (error) {
    throw invalid(path, `This cannot be read: ${error}`, "an object", error);
  }
}
