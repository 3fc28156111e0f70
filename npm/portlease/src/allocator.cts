/** The class by which everything is asked, on a registry of one's choice. */

import type {
  Allocation,
  Explained,
  Generation,
  Health,
  Lease,
  Port,
  PortPresence,
  PortsWish,
  Released,
  RequestWish,
  ServiceWish,
  Stats,
  Swept,
  Trace,
  ValidatedLease,
} from "../types.js";
import { invalid, toJson } from "./json.cjs";
import { PortleaseError, toPortleaseError } from "./error.cjs";
import { Grant, Grants } from "./grant.cjs";
import { native, type NativeGrants, type NativeRegistry } from "./native.cjs";

/** What is wished for one service, and for the request. */
export interface Wish extends RequestWish, ServiceWish {
  /** Another name of `service`. */
  serviceName?: string;
}

/** What is wished for several services, which get their ports together or not at all. */
export interface WishForSeveral extends RequestWish {
  /** The services. */
  services: Iterable<ServiceWish & { serviceName?: string }>;
}

/** Where {@link Allocator.open} finds the registry. */
export interface OpenOptions {
  /**
   * The registry: `sqlite:PATH`, or `memory:` for one of this process alone. Without it, it is what the configuration or
   * `PORTLEASE_REGISTRY` says, else the one of the user.
   */
  registry?: string;
  /** The folder whose configuration holds, for registry, pools, frameworks and excluded ports; the current one if absent. */
  cwd?: string | URL;
}

/** Which lease is meant: an {@link Allocation} and a {@link Lease} say so. */
export interface LeaseReference {
  /** The project. */
  project: string;
  /** The service. */
  service: string;
  /** Which instance of the project it is; the first when absent. */
  instance?: number;
  /** The generation that was granted. */
  generation: Generation;
}

/** Which leases are given back. */
export interface ReleaseOptions {
  /** The project. */
  project: string;
  /** The service; all services of the project when absent. */
  service?: string;
  /** The instance; all instances when absent. */
  instance?: number;
  /** The generation that was granted, which proves whose the lease is. Without it, it is released if nobody else runs on it. */
  generation?: Generation;
  /** Release also what belongs to a process that still runs. */
  force?: boolean;
}

/** The leases of one project, or of all. */
export interface Selection {
  /** The project. */
  projectId?: string;
}

/** Which leases {@link Allocator.cleanup} removes. */
export interface CleanupOptions {
  /** Remove, besides those whose processes have ended, those of nobody that were not used for so many days. */
  days?: number;
}

/** What {@link Allocator.stats} counts. */
export interface StatsOptions {
  /** The ranges to count in; those of all frameworks when absent. */
  ranges?: Iterable<PortsWish>;
  /** How many of the busiest and of the least used ports to name; 5 when absent. */
  top?: number;
}

/** Whom {@link Allocator.health} asks. */
export interface HealthOptions {
  /** The ports; those that are leased when absent. */
  ports?: Iterable<Port>;
  /** Of those that are leased, only the project's. */
  projectId?: string;
  /** A path to ask for by HTTP, such as `/`. Without it, it is enough that somebody accepts connections. */
  path?: string;
  /** How long a server may take, in milliseconds; 5,000 when absent. */
  timeout?: number;
}

/** What a request would get, and why. */
export interface Explanation extends Explained {
  /** Everything that was looked at, port by port. */
  trace: Trace;
}

/** The parts of a reservation that only {@link Grant}s have. */
interface Held {
  /** Hold the port and answer a {@link Grant}, instead of letting go of it. */
  hold: true;
}

/**
 * Leases ports out of a registry.
 *
 * ```js
 * import { Allocator } from "portlease";
 *
 * await using allocator = await Allocator.open();
 * for (const lease of await allocator.list()) {
 *   console.log(lease.port, lease.project, lease.service);
 * }
 * ```
 *
 * Each method comes in two forms: one works on another thread and answers a promise, `…Sync` works in place. Everything that goes wrong is
 * a {@link PortleaseError}.
 */
export class Allocator {
  #native: NativeRegistry | undefined;

  private constructor(registry: NativeRegistry) {
    this.#native = registry;
  }

  /** Opens a registry, which is made when it is missing. */
  static async open(options: OpenOptions = {}): Promise<Allocator> {
    try {
      return new Allocator(await native.open(opening(options)));
    } catch (error) {
      throw toPortleaseError(error);
    }
  }

  /** {@link open}, in place. */
  static openSync(options: OpenOptions = {}): Allocator {
    try {
      return new Allocator(native.openSync(opening(options)));
    } catch (error) {
      throw toPortleaseError(error);
    }
  }

  /**
   * Leases a port for a service of a project, and holds it in the kernel until its server listens. Unless the wish names another
   * `holder`, it is this process that listens, and the lease ends with it.
   */
  async reserve(wish: Wish): Promise<Grant> {
    return first(await this.#reserve(single(wish, "reserveAll")));
  }

  /** {@link reserve}, in place. */
  reserveSync(wish: Wish): Grant {
    return first(this.#reserveSync(single(wish, "reserveAll")));
  }

  /** Leases ports for several services, or for none of them, and holds them. */
  async reserveAll(wish: WishForSeveral): Promise<Grants> {
    return new Grants(await this.#reserve(resolved(wish)));
  }

  /** {@link reserveAll}, in place. */
  reserveAllSync(wish: WishForSeveral): Grants {
    return new Grants(this.#reserveSync(resolved(wish)));
  }

  /** Says that the server of a lease listens, and who it is and where when that is not as granted. */
  async confirm(lease: LeaseReference, listening: { pid?: number; port?: number } = {}): Promise<Lease> {
    return this.#ask("confirm", confirmation(lease, listening));
  }

  /** {@link confirm}, in place. */
  confirmSync(lease: LeaseReference, listening: { pid?: number; port?: number } = {}): Lease {
    return this.#askSync("confirm", confirmation(lease, listening));
  }

  /** Gives leases back: the one that an allocation names, or those of a project. What is leased to nobody is no error. */
  async release(leases: ReleaseOptions): Promise<Released> {
    return this.#ask("release", releasing(leases));
  }

  /** {@link release}, in place. */
  releaseSync(leases: ReleaseOptions): Released {
    return this.#askSync("release", releasing(leases));
  }

  /** The leases, by port. */
  async list(selection: Selection = {}): Promise<Lease[]> {
    return this.#ask("list", selection);
  }

  /** {@link list}, in place. */
  listSync(selection: Selection = {}): Lease[] {
    return this.#askSync("list", selection);
  }

  /** Who is on a port, and to whom it is leased. */
  async who(port: Port): Promise<PortPresence> {
    return this.#ask("who", { port });
  }

  /** {@link who}, in place. */
  whoSync(port: Port): PortPresence {
    return this.#askSync("who", { port });
  }

  /** What is true of each lease: `live`, `idle`, `stale`, or `hijacked` by somebody else who listens on its port. */
  async validate(selection: Selection = {}): Promise<ValidatedLease[]> {
    return this.#ask("validate", selection);
  }

  /** {@link validate}, in place. */
  validateSync(selection: Selection = {}): ValidatedLease[] {
    return this.#askSync("validate", selection);
  }

  /** Removes the leases whose processes have ended, and tells which. */
  async cleanup(options: CleanupOptions = {}): Promise<Swept> {
    return this.#ask("cleanup", options);
  }

  /** {@link cleanup}, in place. */
  cleanupSync(options: CleanupOptions = {}): Swept {
    return this.#askSync("cleanup", options);
  }

  /** How the ports are used. */
  async stats(options: StatsOptions = {}): Promise<Stats> {
    return this.#ask("stats", options);
  }

  /** {@link stats}, in place. */
  statsSync(options: StatsOptions = {}): Stats {
    return this.#askSync("stats", options);
  }

  /** What a wish would get now, and why, port by port. Nothing is changed. */
  async explain(wish: Wish | WishForSeveral): Promise<Explanation> {
    return this.#ask("explain", resolved(wish));
  }

  /** {@link explain}, in place. */
  explainSync(wish: Wish | WishForSeveral): Explanation {
    return this.#askSync("explain", resolved(wish));
  }

  /** Whether the servers answer, and how fast. */
  async health(options: HealthOptions = {}): Promise<Health[]> {
    return this.#ask("health", options);
  }

  /** {@link health}, in place. */
  healthSync(options: HealthOptions = {}): Health[] {
    return this.#askSync("health", options);
  }

  /** The function `reserveOrReallocatePort`, on this registry. */
  reserveOrReallocatePort(wish: Wish & Held): Promise<Grant>;
  reserveOrReallocatePort(wish: Wish & { hold?: false }): Promise<Allocation>;
  async reserveOrReallocatePort(wish: Wish & { hold?: boolean }): Promise<Allocation> {
    const { hold, rest } = split(wish);
    return hold ? first(await this.#reserve(rest)) : this.#ask("reserveOrReallocatePort", rest);
  }

  /** {@link reserveOrReallocatePort}, in place. */
  reserveOrReallocatePortSync(wish: Wish & Held): Grant;
  reserveOrReallocatePortSync(wish: Wish & { hold?: false }): Allocation;
  reserveOrReallocatePortSync(wish: Wish & { hold?: boolean }): Allocation {
    const { hold, rest } = split(wish);
    return hold ? first(this.#reserveSync(rest)) : this.#askSync("reserveOrReallocatePort", rest);
  }

  /** The function `isPortAvailable`, on this registry. */
  async isPortAvailable(port: Port, host?: string): Promise<boolean> {
    return this.#ask("isPortAvailable", { port, host });
  }

  /** {@link isPortAvailable}, in place. */
  isPortAvailableSync(port: Port, host?: string): boolean {
    return this.#askSync("isPortAvailable", { port, host });
  }

  /** The function `findAvailablePortInRange`, on this registry. */
  async findAvailablePortInRange(framework: string, startPort?: Port): Promise<Port | null> {
    return this.#ask("findAvailablePort", search(framework, startPort));
  }

  /** {@link findAvailablePortInRange}, in place. */
  findAvailablePortInRangeSync(framework: string, startPort?: Port): Port | null {
    return this.#askSync("findAvailablePort", search(framework, startPort));
  }

  /** The function `getPortForProject`, on this registry. */
  async getPortForProject(projectId: string): Promise<Port | null> {
    return this.#ask("getPortForProject", { projectId });
  }

  /** {@link getPortForProject}, in place. */
  getPortForProjectSync(projectId: string): Port | null {
    return this.#askSync("getPortForProject", { projectId });
  }

  /** The function `reservePortForProject`, on this registry. */
  async reservePortForProject(projectId: string, port: Port): Promise<Allocation> {
    return this.#ask("reservePortForProject", { projectId, port });
  }

  /** {@link reservePortForProject}, in place. */
  reservePortForProjectSync(projectId: string, port: Port): Allocation {
    return this.#askSync("reservePortForProject", { projectId, port });
  }

  /** The function `releasePortForProject`, on this registry. */
  async releasePortForProject(projectId: string): Promise<boolean> {
    return this.#ask("releasePortForProject", { projectId });
  }

  /** {@link releasePortForProject}, in place. */
  releasePortForProjectSync(projectId: string): boolean {
    return this.#askSync("releasePortForProject", { projectId });
  }

  /** The function `allocatePort`, on this registry. */
  async allocatePort(wish: Wish): Promise<Port> {
    return warned(await this.#ask<Warned<{ port: Port }>>("allocatePort", single(wish, "allocateMultiplePorts"))).port;
  }

  /** {@link allocatePort}, in place. */
  allocatePortSync(wish: Wish): Port {
    return warned(this.#askSync<Warned<{ port: Port }>>("allocatePort", single(wish, "allocateMultiplePorts"))).port;
  }

  /** The function `allocateMultiplePorts`, on this registry. */
  async allocateMultiplePorts(
    services: WishForSeveral["services"],
    request: RequestWish = {},
  ): Promise<Record<string, Port>> {
    const wish = several(services, request);
    return warned(await this.#ask<Warned<{ ports: Record<string, Port> }>>("allocateMultiplePorts", wish)).ports;
  }

  /** {@link allocateMultiplePorts}, in place. */
  allocateMultiplePortsSync(services: WishForSeveral["services"], request: RequestWish = {}): Record<string, Port> {
    const wish = several(services, request);
    return warned(this.#askSync<Warned<{ ports: Record<string, Port> }>>("allocateMultiplePorts", wish)).ports;
  }

  /** The function `getPortFromEnvOrAllocate`, on this registry. */
  async getPortFromEnvOrAllocate(
    variable: string,
    basePort: Port,
    serviceName?: string,
    wish: Wish = {},
  ): Promise<Port> {
    return this.allocatePort(byVariable(variable, basePort, serviceName, wish));
  }

  /** {@link getPortFromEnvOrAllocate}, in place. */
  getPortFromEnvOrAllocateSync(variable: string, basePort: Port, serviceName?: string, wish: Wish = {}): Port {
    return this.allocatePortSync(byVariable(variable, basePort, serviceName, wish));
  }

  /** The function `cleanupAbandonedPorts`, on this registry. */
  async cleanupAbandonedPorts(days = 7): Promise<number> {
    return (await this.cleanup({ days })).removed.length;
  }

  /** {@link cleanupAbandonedPorts}, in place. */
  cleanupAbandonedPortsSync(days = 7): number {
    return this.cleanupSync({ days }).removed.length;
  }

  /** Closes the registry. Grants stay what they are. */
  close(): void {
    this.#native?.close();
    this.#native = undefined;
  }

  /** {@link close}, by `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** {@link close}, by `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  get #open(): NativeRegistry {
    if (this.#native === undefined) {
      throw new PortleaseError("CLOSED", "This allocator was closed. Open another one.");
    }
    return this.#native;
  }

  async #ask<T>(name: string, argument: unknown): Promise<T> {
    try {
      return JSON.parse(await this.#open.ask(`{"${name}":${toJson(argument)}}`)) as T;
    } catch (error) {
      throw toPortleaseError(error);
    }
  }

  #askSync<T>(name: string, argument: unknown): T {
    try {
      return JSON.parse(this.#open.askSync(`{"${name}":${toJson(argument)}}`)) as T;
    } catch (error) {
      throw toPortleaseError(error);
    }
  }

  async #reserve(wish: unknown): Promise<NativeGrants> {
    try {
      return await this.#open.reserve(toJson(wish));
    } catch (error) {
      throw toPortleaseError(error);
    }
  }

  #reserveSync(wish: unknown): NativeGrants {
    try {
      return this.#open.reserveSync(toJson(wish));
    } catch (error) {
      throw toPortleaseError(error);
    }
  }
}

/** The environment is read once, when a registry is opened, and on the thread whose environment it is. */
function opening(options: OpenOptions): string {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (name.startsWith("PORTLEASE_") && value !== undefined) {
      variables[name] = value;
    }
  }
  const verbose = process.env["VERBOSE_PORT_ALLOCATOR"];
  const tellsSteps = verbose === "true" || verbose === "1";
  return toJson({ ...asObject(options), variables, tellsSteps });
}

type Warned<T> = T & { warnings: string[] };

/** Tells what an answer has no place for as Node tells its own warnings. */
function warned<T>(answer: Warned<T>): T {
  for (const warning of answer.warnings) {
    process.emitWarning(warning, { type: "PortleaseWarning" });
  }
  return answer;
}

function first(grants: NativeGrants): Grant {
  const [grant] = new Grants(grants);
  return grant as Grant;
}

function asObject(value: unknown): object {
  if (typeof value !== "object" || value === null) {
    throw invalid("", `Here belongs an object, not ${value === null ? "null" : typeof value}.`, String(typeof value));
  }
  return value;
}

/** The wish with the values of the variables that it names. */
function resolved<T extends object>(wish: T): T {
  const { envVar, services } = asObject(wish) as { envVar?: unknown; services?: unknown };
  const answer: Record<string, unknown> | T = typeof envVar === "string" ? { ...wish, envVar: variable(envVar) } : wish;
  if (typeof services !== "object" || services === null || !(Symbol.iterator in services)) {
    return answer as T;
  }
  const each = (service: unknown): unknown =>
    typeof service === "object" && service !== null && "envVar" in service ? resolved(service) : service;
  return { ...answer, services: mapped(services as Iterable<unknown>, each) } as T;
}

function* mapped(values: Iterable<unknown>, change: (value: unknown) => unknown): Iterable<unknown> {
  for (const value of values) {
    yield change(value);
  }
}

function variable(name: string): { name: string; value: string | undefined } {
  return { name, value: process.env[name] };
}

/** A wish for one service: with several, all but the first would be forgotten. */
function single<T extends object>(wish: T, other: string): T {
  if (Object.hasOwn(asObject(wish), "services")) {
    throw invalid("services", `This is for one service; ${other} is for several.`, "a list");
  }
  return resolved(wish);
}

function split(wish: Wish & { hold?: boolean }): { hold: boolean; rest: Wish } {
  const whole = single(wish, "reserveAll or allocateMultiplePorts");
  if (!Object.hasOwn(whole, "hold")) {
    return { hold: false, rest: whole };
  }
  const { hold = false, ...rest } = whole;
  if (typeof hold !== "boolean") {
    throw invalid("hold", `Here belongs true or false, not ${hold === null ? "null" : typeof hold}.`, String(hold));
  }
  return { hold, rest };
}

function several(services: unknown, request: RequestWish): object {
  return resolved({ ...asObject(request), services });
}

/** A port that nobody is granted, so it is nobody's project. */
function search(framework: string, startPort: Port | undefined): object {
  if (framework === undefined) {
    throw invalid("framework", "Here belongs the name of a framework, such as \"vite\".", "undefined");
  }
  return { projectId: "(nobody)", framework, startPort };
}

function byVariable(name: string, basePort: Port, serviceName: string | undefined, wish: Wish): Wish {
  if (typeof name !== "string" || name === "") {
    throw invalid("variable", "Here belongs the name of an environment variable, such as \"PORT\".", typeof name);
  }
  if (basePort === undefined) {
    throw new PortleaseError("INVALID_PORT", '"undefined" is not a port: a port is a whole number from 1 to 65535.', {
      value: "undefined",
    });
  }
  const answer: Wish = { ...asObject(wish), basePort, envVar: name };
  if (serviceName !== undefined) {
    answer.service = serviceName;
  }
  return answer;
}

function confirmation(lease: LeaseReference, listening: object): object {
  const { project, service, instance, generation } = asObject(lease) as LeaseReference;
  return { ...asObject(listening), project, service, instance, generation };
}

function releasing(leases: ReleaseOptions): object {
  const { project, service, instance, generation, force } = asObject(leases) as ReleaseOptions;
  return { project, service, instance, generation, force };
}
