// A project without the types of Node.js knows `Symbol.dispose` by this.
/// <reference lib="esnext.disposable" preserve="true" />

/** The class by which everything is asked, on a registry of one's choice. */

import type {
  Allocation,
  Explained,
  Generation,
  Granted,
  Health,
  Host,
  HostSnapshot,
  HostStatus,
  Lease,
  Plan,
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
import { invalid, named, noPort, options, plain, type PlainObject, toJson } from "./json.cjs";
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
   * The registry: `sqlite:PATH`, `postgres://USER@HOST/DATABASE`, or `memory:` for one of this process alone. Without it, it is what the configuration or
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

/** Which leases {@link Allocator.listEverywhere} tells. */
export interface SelectionEverywhere extends Selection {
  /** The host; all of them when absent. */
  host?: Host;
}

/** How long the runner of another host is waited for. */
export interface Patience {
  /** In milliseconds; 20,000 when absent. */
  timeout?: number;
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
    return first(await this.#reserve(wished(single(wish, "reserveAll"))));
  }

  /** {@link reserve}, in place. */
  reserveSync(wish: Wish): Grant {
    return first(this.#reserveSync(wished(single(wish, "reserveAll"))));
  }

  /** Leases ports for several services, or for none of them, and holds them. */
  async reserveAll(wish: WishForSeveral): Promise<Grants> {
    return new Grants(await this.#reserve(wished(options(wish))));
  }

  /** {@link reserveAll}, in place. */
  reserveAllSync(wish: WishForSeveral): Grants {
    return new Grants(this.#reserveSync(wished(options(wish))));
  }

  /** This host as it is now, on which `plan` of `portlease/plan` decides wherever it runs. */
  async snapshot(): Promise<HostSnapshot> {
    return this.#ask("snapshot", "{}");
  }

  /** {@link snapshot}, in place. */
  snapshotSync(): HostSnapshot {
    return this.#askSync("snapshot", "{}");
  }

  /**
   * Takes the ports of a plan that was made elsewhere of a {@link snapshot} of this host: all are held and leased in one step, or none is.
   *
   * ```js
   * import { plan } from "portlease/plan";
   *
   * let snapshot = await allocator.snapshot();
   * for (;;) {
   *   try {
   *     const grants = await allocator.confirmPlan(plan(snapshot, { projectId: "shop", framework: "vite" }));
   *     break;
   *   } catch (error) {
   *     // The host is not any more what it was: plan again on what it is.
   *     if (error.code !== "PLAN_OUTDATED") throw error;
   *     snapshot = error.details.snapshot;
   *   }
   * }
   * ```
   */
  async confirmPlan(plan: Plan): Promise<Grants> {
    try {
      return new Grants(await this.#open.confirmPlan(toJson(plan)));
    } catch (error) {
      throw toPortleaseError(error);
    }
  }

  /** {@link confirmPlan}, in place. */
  confirmPlanSync(plan: Plan): Grants {
    try {
      return new Grants(this.#open.confirmPlanSync(toJson(plan)));
    } catch (error) {
      throw toPortleaseError(error);
    }
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
    return this.#ask("list", toJson(selection));
  }

  /** {@link list}, in place. */
  listSync(selection: Selection = {}): Lease[] {
    return this.#askSync("list", toJson(selection));
  }

  /** Who is on a port, and to whom it is leased. */
  async who(port: Port): Promise<PortPresence> {
    return this.#ask("who", toJson({ port }));
  }

  /** {@link who}, in place. */
  whoSync(port: Port): PortPresence {
    return this.#askSync("who", toJson({ port }));
  }

  /** What is true of each lease: `live`, `idle`, `stale`, or `hijacked` by somebody else who listens on its port. */
  async validate(selection: Selection = {}): Promise<ValidatedLease[]> {
    return this.#ask("validate", toJson(selection));
  }

  /** {@link validate}, in place. */
  validateSync(selection: Selection = {}): ValidatedLease[] {
    return this.#askSync("validate", toJson(selection));
  }

  /** Removes the leases whose processes have ended, and tells which. */
  async cleanup(given: CleanupOptions = {}): Promise<Swept> {
    return this.#ask("cleanup", toJson(given));
  }

  /** {@link cleanup}, in place. */
  cleanupSync(given: CleanupOptions = {}): Swept {
    return this.#askSync("cleanup", toJson(given));
  }

  /** How the ports are used. */
  async stats(given: StatsOptions = {}): Promise<Stats> {
    return this.#ask("stats", toJson(given));
  }

  /** {@link stats}, in place. */
  statsSync(given: StatsOptions = {}): Stats {
    return this.#askSync("stats", toJson(given));
  }

  /** The hosts that share the registry, by name, and when the runner of each was last heard of. */
  async hosts(): Promise<HostStatus[]> {
    return this.#ask("hosts", "{}");
  }

  /** {@link hosts}, in place. */
  hostsSync(): HostStatus[] {
    return this.#askSync("hosts", "{}");
  }

  /** The leases of every host, by its name. Whether they are true, only each host can see. */
  async listEverywhere(selection: SelectionEverywhere = {}): Promise<Record<Host, Lease[]>> {
    return this.#ask("listEverywhere", toJson(selection));
  }

  /** {@link listEverywhere}, in place. */
  listEverywhereSync(selection: SelectionEverywhere = {}): Record<Host, Lease[]> {
    return this.#askSync("listEverywhere", toJson(selection));
  }

  /** How the ports of every host are used, by its name and as far as the registry tells. */
  async statsEverywhere(given: StatsOptions = {}): Promise<Record<Host, Stats>> {
    return this.#ask("statsEverywhere", toJson(given));
  }

  /** {@link statsEverywhere}, in place. */
  statsEverywhereSync(given: StatsOptions = {}): Record<Host, Stats> {
    return this.#askSync("statsEverywhere", toJson(given));
  }

  /**
   * Leases ports on another host that shares the registry, a database. It is planned here, on what is known of the host, and again
   * until `portlease runner`, which runs there, confirms it.
   *
   * ```js
   * const [granted] = await allocator.reserveOn("worker-7", { projectId: "shop", framework: "vite" });
   * console.log(granted.lease.port);
   * ```
   *
   * What the configuration of that host says for everybody holds. The leases belong to nobody: they end by {@link releaseOn}. Nobody there
   * is moved. It is refused with `NO_RUNNER` when nobody answers there, `RUNNER_IN_DOUBT` when the runner took the plan and said no
   * more (whoever asks again finds what it leased), and as any other wish.
   */
  async reserveOn(host: Host, wish: Wish | WishForSeveral, patience: Patience = {}): Promise<Granted[]> {
    return (await this.#ask<Confirmed>("reserveOn", on({ ...options(patience), host }, wished(options(wish))))).granted;
  }

  /** {@link reserveOn}, in place. */
  reserveOnSync(host: Host, wish: Wish | WishForSeveral, patience: Patience = {}): Granted[] {
    return this.#askSync<Confirmed>("reserveOn", on({ ...options(patience), host }, wished(options(wish)))).granted;
  }

  /** Another host as its runner saw it last, on which `plan` of `portlease/plan` decides. */
  async snapshotOf(host: Host): Promise<HostSnapshot> {
    return this.#ask("snapshotOf", toJson({ host }));
  }

  /** {@link snapshotOf}, in place. */
  snapshotOfSync(host: Host): HostSnapshot {
    return this.#askSync("snapshotOf", toJson({ host }));
  }

  /**
   * Has a plan for another host confirmed by its runner. One that does not fit any more is refused with `PLAN_OUTDATED`, and
   * `error.details.snapshot` is what to plan on again.
   */
  async confirmPlanOn(plan: Plan, patience: Patience = {}): Promise<Granted[]> {
    return (await this.#ask<Confirmed>("confirmPlanOn", on(options(patience), toJson(plan)))).granted;
  }

  /** {@link confirmPlanOn}, in place. */
  confirmPlanOnSync(plan: Plan, patience: Patience = {}): Granted[] {
    return this.#askSync<Confirmed>("confirmPlanOn", on(options(patience), toJson(plan))).granted;
  }

  /** Gives leases of another host back. What belongs to a process there is given back by its `generation`, or by `force`. */
  async releaseOn(host: Host, leases: ReleaseOptions): Promise<Released> {
    return this.#ask("releaseOn", on({ host }, releasing(leases)));
  }

  /** {@link releaseOn}, in place. */
  releaseOnSync(host: Host, leases: ReleaseOptions): Released {
    return this.#askSync("releaseOn", on({ host }, releasing(leases)));
  }

  /** What a wish would get now, and why, port by port. Nothing is changed. */
  async explain(wish: Wish | WishForSeveral): Promise<Explanation> {
    return this.#ask("explain", wished(options(wish)));
  }

  /** {@link explain}, in place. */
  explainSync(wish: Wish | WishForSeveral): Explanation {
    return this.#askSync("explain", wished(options(wish)));
  }

  /** Whether the servers answer, and how fast. */
  async health(given: HealthOptions = {}): Promise<Health[]> {
    return this.#ask("health", toJson(given));
  }

  /** {@link health}, in place. */
  healthSync(given: HealthOptions = {}): Health[] {
    return this.#askSync("health", toJson(given));
  }

  /** The function `reserveOrReallocatePort`, on this registry. */
  reserveOrReallocatePort(wish: Wish & Held): Promise<Grant>;
  reserveOrReallocatePort(wish: Wish & { hold?: false }): Promise<Allocation>;
  async reserveOrReallocatePort(given: Wish & { hold?: boolean }): Promise<Allocation> {
    const { hold, wish } = split(given);
    return hold ? first(await this.#reserve(wish)) : this.#ask("reserveOrReallocatePort", wish);
  }

  /** {@link reserveOrReallocatePort}, in place. */
  reserveOrReallocatePortSync(wish: Wish & Held): Grant;
  reserveOrReallocatePortSync(wish: Wish & { hold?: false }): Allocation;
  reserveOrReallocatePortSync(given: Wish & { hold?: boolean }): Allocation {
    const { hold, wish } = split(given);
    return hold ? first(this.#reserveSync(wish)) : this.#askSync("reserveOrReallocatePort", wish);
  }

  /** The function `isPortAvailable`, on this registry. */
  async isPortAvailable(port: Port, host?: string): Promise<boolean> {
    return this.#ask("isPortAvailable", toJson({ port, host }));
  }

  /** {@link isPortAvailable}, in place. */
  isPortAvailableSync(port: Port, host?: string): boolean {
    return this.#askSync("isPortAvailable", toJson({ port, host }));
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
    return this.#ask("getPortForProject", toJson({ projectId }));
  }

  /** {@link getPortForProject}, in place. */
  getPortForProjectSync(projectId: string): Port | null {
    return this.#askSync("getPortForProject", toJson({ projectId }));
  }

  /** The function `reservePortForProject`, on this registry. */
  async reservePortForProject(projectId: string, port: Port): Promise<Allocation> {
    return this.#ask("reservePortForProject", toJson({ projectId, port }));
  }

  /** {@link reservePortForProject}, in place. */
  reservePortForProjectSync(projectId: string, port: Port): Allocation {
    return this.#askSync("reservePortForProject", toJson({ projectId, port }));
  }

  /** The function `releasePortForProject`, on this registry. */
  async releasePortForProject(projectId: string): Promise<boolean> {
    return this.#ask("releasePortForProject", toJson({ projectId }));
  }

  /** {@link releasePortForProject}, in place. */
  releasePortForProjectSync(projectId: string): boolean {
    return this.#askSync("releasePortForProject", toJson({ projectId }));
  }

  /** The function `allocatePort`, on this registry. */
  async allocatePort(wish: Wish | string, forceNew?: boolean): Promise<Port> {
    return warned(await this.#ask<Warned<{ port: Port }>>(...allocation(wish, forceNew))).port;
  }

  /** {@link allocatePort}, in place. */
  allocatePortSync(wish: Wish | string, forceNew?: boolean): Port {
    return warned(this.#askSync<Warned<{ port: Port }>>(...allocation(wish, forceNew))).port;
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

  async #ask<T>(name: string, argument: string): Promise<T> {
    try {
      return JSON.parse(await this.#open.ask(`{"${name}":${argument}}`)) as T;
    } catch (error) {
      throw toPortleaseError(error);
    }
  }

  #askSync<T>(name: string, argument: string): T {
    try {
      return JSON.parse(this.#open.askSync(`{"${name}":${argument}}`)) as T;
    } catch (error) {
      throw toPortleaseError(error);
    }
  }

  async #reserve(wish: string): Promise<NativeGrants> {
    try {
      return await this.#open.reserve(wish);
    } catch (error) {
      throw toPortleaseError(error);
    }
  }

  #reserveSync(wish: string): NativeGrants {
    try {
      return this.#open.reserveSync(wish);
    } catch (error) {
      throw toPortleaseError(error);
    }
  }
}

/** The environment is read once, when a registry is opened, and on the thread whose environment it is. */
function opening(given: OpenOptions): string {
  const verbose = process.env["VERBOSE_PORT_ALLOCATOR"];
  const tellsSteps = verbose === "true" || verbose === "1";
  return JSON.stringify({ ...options(given), variables: variables(), tellsSteps });
}

/** What is said about containers, to other programs as well. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set([
  "AUTO_KILL_PORT",
  "CONTAINERIZATION_ENABLED",
  "CONTAINERIZATION_ENGINE",
  "CONTAINER_HOST",
  "DOCKER_HOST",
  "XDG_RUNTIME_DIR",
]);

/** What the environment of this thread says about Portlease. */
export function variables(): Record<string, string> {
  const said: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if ((name.startsWith("PORTLEASE_") || OTHER_VARIABLES.has(name)) && value !== undefined) {
      said[name] = value;
    }
  }
  return said;
}

/** What a runner confirmed. */
interface Confirmed {
  granted: Granted[];
}

/** What is asked for another host. */
function on(host: object, asked: string): string {
  return `{"on":${toJson(host)},"asked":${asked}}`;
}

type Warned<T> = T & { warnings: string[] };

const told = new Set<string>();

/** Tells what an answer has no place for as Node tells its own warnings, once each. */
function warned<T>(answer: Warned<T>): T {
  for (const warning of answer.warnings) {
    if (!told.has(warning)) {
      told.add(warning);
      process.emitWarning(warning, { type: "PortleaseWarning" });
    }
  }
  return answer;
}

/** Whoever gives a name and nothing else asks for an application in a container. */
function allocation(wish: Wish | string, forceNew: boolean | undefined): [call: string, argument: string] {
  return typeof wish === "string"
    ? ["allocateContainerPort", toJson({ appId: wish, forceNew })]
    : ["allocatePort", wished(single(wish, "allocateMultiplePorts"))];
}

function first(grants: NativeGrants): Grant {
  const [grant] = new Grants(grants);
  return grant as Grant;
}

/** A wish as JSON, with the values of the variables that it names. */
function wished(wish: PlainObject): string {
  withVariable(wish);
  if (Array.isArray(wish["services"])) {
    wish["services"].forEach(withVariable);
  }
  return JSON.stringify(wish);
}

function withVariable(wish: unknown): void {
  const { envVar } = (wish ?? {}) as PlainObject;
  if (typeof envVar === "string") {
    (wish as PlainObject)["envVar"] = { name: envVar, value: process.env[envVar] };
  }
}

/** A wish for one service: with several, all but the first would be forgotten. */
function single(given: Wish, other: string): PlainObject {
  const wish = options(given);
  if (Object.hasOwn(wish, "services")) {
    throw invalid("services", `This is for one service; ${other} is for several.`, named(wish["services"]));
  }
  return wish;
}

function split(given: Wish & { hold?: boolean }): { hold: boolean; wish: string } {
  const { hold, ...wish } = single(given, "reserveAll or allocateMultiplePorts");
  if (hold !== undefined && typeof hold !== "boolean") {
    throw invalid("hold", `Here belongs true or false, not ${named(hold)}.`, named(hold));
  }
  return { hold: hold === true, wish: wished(wish) };
}

function several(services: unknown, request: RequestWish): string {
  const list = plain(services, "services");
  if (!Array.isArray(list)) {
    throw invalid("services", `Here belongs a list of services, not ${named(list)}.`, named(list));
  }
  return wished({ ...options(request, "request"), services: list });
}

/** A port that nobody is granted, so it is nobody's project. */
function search(framework: string, startPort: Port | undefined): string {
  if (framework === undefined) {
    throw invalid("framework", 'Here belongs the name of a framework, such as "vite".', "undefined");
  }
  return toJson({ projectId: "(nobody)", framework, startPort });
}

function byVariable(variable: string, basePort: Port, serviceName: string | undefined, given: Wish): Wish {
  if (typeof variable !== "string" || variable === "") {
    throw invalid("variable", 'Here belongs the name of an environment variable, such as "PORT".', typeof variable);
  }
  if (basePort === undefined) {
    throw noPort(basePort);
  }
  const wish = { ...options(given), basePort, envVar: variable };
  return (serviceName === undefined ? wish : { ...wish, service: serviceName }) as Wish;
}

function confirmation(lease: LeaseReference, listening: object): string {
  const { project, service, instance, generation } = options(lease);
  return JSON.stringify({ ...options(listening), project, service, instance, generation });
}

function releasing(leases: ReleaseOptions): string {
  const { project, service, instance, generation, force } = options(leases);
  return JSON.stringify({ project, service, instance, generation, force });
}
