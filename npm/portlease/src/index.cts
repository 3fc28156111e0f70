/** A port of its own for every dev server, service and container. */

import type { Allocation, Port, RequestWish, Stats, ValidatedLease } from "../types.js";
import { Allocator, type Wish, type WishForSeveral } from "./allocator.cjs";
import type { Grant } from "./grant.cjs";
import { native } from "./native.cjs";

export type * from "../types.js";
export {
  Allocator,
  type CleanupOptions,
  type Explanation,
  type HealthOptions,
  type LeaseReference,
  type OpenOptions,
  type Patience,
  type ReleaseOptions,
  type Selection,
  type SelectionEverywhere,
  type StatsOptions,
  type Wish,
  type WishForSeveral,
} from "./allocator.cjs";
export { isPortleaseError, PortleaseError } from "./error.cjs";
export { Grant, Grants, type Listening, type Signal, type Waiting } from "./grant.cjs";

/** The version of Portlease. */
export const version: string = native.version();

let opened: Allocator | undefined;
let opening: Promise<Allocator> | undefined;

/** The allocator of the functions. Each thread has one of its own, opened when it is first needed. */
function allocator(): Allocator | Promise<Allocator> {
  if (opened !== undefined) {
    return opened;
  }
  opening ??= Allocator.open().then(
    (allocator) => {
      opened ??= allocator;
      return opened;
    },
    (error: unknown) => {
      // The next call tries again: whatever is wrong may be put right.
      opening = undefined;
      throw error;
    },
  );
  return opening;
}

function allocatorSync(): Allocator {
  opened ??= Allocator.openSync();
  return opened;
}

/**
 * The port of a project, ready to be used: the one that it has, if that is in the range, of the same framework, and free or held by the
 * project's own process; otherwise that one is given up and another one found. All in one step.
 *
 * ```js
 * const { port, framework } = await reserveOrReallocatePort({
 *   projectId: "shop",
 *   projectType: "nextjs",
 *   runCommand: "next dev",
 * });
 * ```
 *
 * The port is let go before the answer, so that whatever server can bind it; the lease keeps everybody else who asks Portlease away, until it is
 * released. `hold: true` answers a {@link Grant} instead, which keeps all others away.
 *
 * With a `projectId` no file is read. Without one, or with `cwd`, the configuration of that folder holds (`portlease.toml`, or `portlease` in
 * `package.json`), and shows project and framework when nothing else does. A `runCommand` that runs a script is looked up in the
 * `package.json` of the folder.
 *
 * It is refused with `RANGE_EXHAUSTED` when all ports are taken, `PORT_UNAVAILABLE` when a `port` was insisted on, `INVALID_PORT`,
 * `INVALID_RANGE`, `INVALID_NAME` or `INVALID_ARGUMENT` when the wish makes no sense. It never answers a port that was not asked for.
 */
export function reserveOrReallocatePort(wish: Wish & { hold: true }): Promise<Grant>;
export function reserveOrReallocatePort(wish?: Wish & { hold?: false }): Promise<Allocation>;
export async function reserveOrReallocatePort(wish: Wish & { hold?: boolean } = {}): Promise<Allocation> {
  return (await allocator()).reserveOrReallocatePort(wish as Wish);
}

/** {@link reserveOrReallocatePort}, in place. */
export function reserveOrReallocatePortSync(wish: Wish & { hold: true }): Grant;
export function reserveOrReallocatePortSync(wish?: Wish & { hold?: false }): Allocation;
export function reserveOrReallocatePortSync(wish: Wish & { hold?: boolean } = {}): Allocation {
  return allocatorSync().reserveOrReallocatePortSync(wish as Wish);
}

/**
 * Whether a port could be bound now, on every address, and on `host` when one is given. A port that is leased is not available, and is not
 * touched.
 *
 * ```js
 * if (await isPortAvailable(3000)) {
 *   // Until somebody leases or binds it, anybody can: to have it, call reserveOrReallocatePort.
 * }
 * ```
 */
export async function isPortAvailable(port: Port, host?: string): Promise<boolean> {
  return (await allocator()).isPortAvailable(port, host);
}

/** {@link isPortAvailable}, in place. */
export function isPortAvailableSync(port: Port, host?: string): boolean {
  return allocatorSync().isPortAvailableSync(port, host);
}

/**
 * A port of the framework's range that could be had now, searched from `startPort` on, or `null` when all are taken. Nothing is leased: until
 * somebody does, anybody can take it.
 *
 * ```js
 * const port = await findAvailablePortInRange("vite", 5200);
 * ```
 */
export async function findAvailablePortInRange(framework: string, startPort?: Port): Promise<Port | null> {
  return (await allocator()).findAvailablePortInRange(framework, startPort);
}

/** {@link findAvailablePortInRange}, in place. */
export function findAvailablePortInRangeSync(framework: string, startPort?: Port): Port | null {
  return allocatorSync().findAvailablePortInRangeSync(framework, startPort);
}

/**
 * The port that is leased to a project, or `null`: that of its service `web`, or of the only one that it has.
 *
 * ```js
 * const port = await getPortForProject("shop");
 * ```
 */
export async function getPortForProject(projectId: string): Promise<Port | null> {
  return (await allocator()).getPortForProject(projectId);
}

/** {@link getPortForProject}, in place. */
export function getPortForProjectSync(projectId: string): Port | null {
  return allocatorSync().getPortForProjectSync(projectId);
}

/**
 * Gives a project this port and no other. It is refused with `PORT_UNAVAILABLE`, and who has it, when it cannot be had.
 *
 * ```js
 * await reservePortForProject("shop", 3000);
 * ```
 */
export async function reservePortForProject(projectId: string, port: Port): Promise<Allocation> {
  return (await allocator()).reservePortForProject(projectId, port);
}

/** {@link reservePortForProject}, in place. */
export function reservePortForProjectSync(projectId: string, port: Port): Allocation {
  return allocatorSync().reservePortForProjectSync(projectId, port);
}

/**
 * Gives back everything that is leased to a project, and answers whether there was anything. It is refused with `NOT_OWNER` when some of it
 * belongs to another process that still runs.
 *
 * ```js
 * await releasePortForProject("shop");
 * ```
 */
export async function releasePortForProject(projectId: string): Promise<boolean> {
  return (await allocator()).releasePortForProject(projectId);
}

/** {@link releasePortForProject}, in place. */
export function releasePortForProjectSync(projectId: string): boolean {
  return allocatorSync().releasePortForProjectSync(projectId);
}

/**
 * A port for a service, from `basePort` to `maxPort` (100 more when absent). It is leased, to the project of the current folder unless
 * `projectId` names another, and the same service gets the same one again.
 *
 * ```js
 * const port = await allocatePort({ basePort: 5000, maxPort: 5100, serviceName: "main-server" });
 * ```
 *
 * With the name of an application that runs in a container, it is the port that the application has, or else the next one from 32100 to 32200;
 * with `forceNew` always another one. The lease passes to the container that is made for the port, stays while that is stopped, and ends when it
 * is removed.
 *
 * ```js
 * const port = await allocatePort("56");
 * ```
 */
export function allocatePort(appId: string, forceNew?: boolean): Promise<Port>;
export function allocatePort(wish?: Wish): Promise<Port>;
export async function allocatePort(wish: Wish | string = {}, forceNew?: boolean): Promise<Port> {
  return (await allocator()).allocatePort(wish, forceNew);
}

/** {@link allocatePort}, in place. */
export function allocatePortSync(appId: string, forceNew?: boolean): Port;
export function allocatePortSync(wish?: Wish): Port;
export function allocatePortSync(wish: Wish | string = {}, forceNew?: boolean): Port {
  return allocatorSync().allocatePortSync(wish, forceNew);
}

/**
 * Ports for several services by their names, no two the same: for all of them, or for none.
 *
 * ```js
 * const { web, api } = await allocateMultiplePorts([
 *   { serviceName: "web", basePort: 5000 },
 *   { serviceName: "api", basePort: 3000, maxPort: 3100 },
 * ]);
 * ```
 */
export async function allocateMultiplePorts(
  services: WishForSeveral["services"],
  request: RequestWish = {},
): Promise<Record<string, Port>> {
  return (await allocator()).allocateMultiplePorts(services, request);
}

/** {@link allocateMultiplePorts}, in place. */
export function allocateMultiplePortsSync(
  services: WishForSeveral["services"],
  request: RequestWish = {},
): Record<string, Port> {
  return allocatorSync().allocateMultiplePortsSync(services, request);
}

/**
 * The port that an environment variable names, if it is free, or else one from `basePort` on. A value that is no port (`abc`, `0`,
 * `70000`) is told by `process.emitWarning`.
 *
 * ```js
 * const port = await getPortFromEnvOrAllocate("PORT", 5000, "main-server");
 * ```
 */
export async function getPortFromEnvOrAllocate(
  variable: string,
  basePort: Port,
  serviceName?: string,
  wish: Wish = {},
): Promise<Port> {
  return (await allocator()).getPortFromEnvOrAllocate(variable, basePort, serviceName, wish);
}

/** {@link getPortFromEnvOrAllocate}, in place. */
export function getPortFromEnvOrAllocateSync(
  variable: string,
  basePort: Port,
  serviceName?: string,
  wish: Wish = {},
): Port {
  return allocatorSync().getPortFromEnvOrAllocateSync(variable, basePort, serviceName, wish);
}

/**
 * Removes the leases whose processes have ended, and those of nobody that were not used for so many days; answers how many.
 *
 * ```js
 * const removed = await cleanupAbandonedPorts(7);
 * ```
 */
export async function cleanupAbandonedPorts(days = 7): Promise<number> {
  return (await allocator()).cleanupAbandonedPorts(days);
}

/** {@link cleanupAbandonedPorts}, in place. */
export function cleanupAbandonedPortsSync(days = 7): number {
  return allocatorSync().cleanupAbandonedPortsSync(days);
}

/**
 * What is true of each lease: `live`, `idle`, `stale`, or `hijacked` by somebody else who listens on its port.
 *
 * ```js
 * for (const { lease, status } of await validateAllocatedPorts()) {
 *   console.log(lease.port, lease.project, status);
 * }
 * ```
 */
export async function validateAllocatedPorts(): Promise<ValidatedLease[]> {
  return (await allocator()).validate();
}

/** {@link validateAllocatedPorts}, in place. */
export function validateAllocatedPortsSync(): ValidatedLease[] {
  return allocatorSync().validateSync();
}

/**
 * How the ports of all frameworks are used: leased, occupied and free ones by range, the busiest and the least used ports, and what happened
 * since the registry was made.
 *
 * ```js
 * const { ranges, counters } = await getPortUsageStats();
 * ```
 */
export async function getPortUsageStats(): Promise<Stats> {
  return (await allocator()).stats();
}

/** {@link getPortUsageStats}, in place. */
export function getPortUsageStatsSync(): Stats {
  return allocatorSync().statsSync();
}
