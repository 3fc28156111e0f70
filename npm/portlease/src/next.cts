/** The wrapper for the configuration of Next. */

import type { Lease } from "../types.js";
import { Allocator, type Wish } from "./allocator.cjs";
import { keyOf } from "./outer.cjs";

/** What can be said to {@link withPortlease}. */
export interface NextOptions {
  /** The project; without it, it is the one that the current folder belongs to. */
  projectId?: string;
  /** The service of the project that this server is; its main one when nothing is said. */
  service?: string;
  /** The variables in which the pages find the URLs of other services of the project, by the names of the services. */
  urls?: Record<string, string>;
}

/** A configuration of Next, or a function that answers one. */
export type NextConfiguration<Config extends object> =
  | Config
  | ((phase: string, context: { defaultConfig: Config }) => Config | Promise<Config>);

/** The phases in which there is a server, and the commands that have them. */
const SERVERS = new Map([
  ["phase-development-server", "next dev"],
  ["phase-production-server", "next start"],
]);

/**
 * Says that the server of Next listens on the port that was leased for it, or warns when none was; and gives its pages the URLs of the
 * project's other services.
 *
 * ```js
 * // next.config.mjs
 * import { withPortlease } from "portlease/next";
 *
 * export default withPortlease({ reactStrictMode: true }, { urls: { api: "NEXT_PUBLIC_API_URL" } });
 * ```
 *
 * It does not choose the port and leases nothing: Next listens before it reads its configuration, and reads it in several processes. What
 * chooses the port is the command that starts Next, one line in `package.json`:
 *
 * ```json
 * { "scripts": { "dev": "portlease run -- next dev" } }
 * ```
 *
 * or `node --import portlease/register node_modules/next/dist/bin/next dev`, or a server of your own that asks
 * `reserveOrReallocatePort`.
 *
 * The URLs are those of the services that have a port when `next dev` reads the configuration; a variable that is set already, in the
 * environment or under `env`, stays as it is. `next build` gets none, because they would be a part of what it builds.
 */
export function withPortlease<Config extends object>(
  configuration: NextConfiguration<Config> = {} as Config,
  options: NextOptions = {},
): (phase: string, context: { defaultConfig: Config }) => Promise<Config> {
  return async (phase, context) => {
    const config = typeof configuration === "function" ? await configuration(phase, context) : configuration;
    const command = SERVERS.get(phase);
    if (command === undefined) {
      return config;
    }
    try {
      return await served(config, options, command);
    } catch (error) {
      warnOnce(error instanceof Error ? error.message : String(error));
      return config;
    }
  };
}

async function served<Config extends object>(config: Config, options: NextOptions, command: string): Promise<Config> {
  const { projectId, service, urls = {} } = options;
  const wish: Wish = {
    cwd: process.cwd(),
    ...(projectId !== undefined && { projectId }),
    ...(service !== undefined && { service }),
  };
  const allocator = await Allocator.open();
  try {
    const lease = await ownLease(allocator, wish, command);
    if (command !== "next dev") {
      return config;
    }
    const env = await variables(allocator, wish, urls, lease?.instance);
    const said = (config as { env?: Record<string, string> }).env;
    return Object.keys(env).length === 0 ? config : { ...config, env: { ...env, ...said } };
  } finally {
    allocator.close();
  }
}

/** The lease under which this server runs. What is wrong about it is told. */
async function ownLease(allocator: Allocator, wish: Wish, command: string): Promise<Lease | undefined> {
  // Next says here where it listens. A server of one's own listens later, and then nobody can tell.
  const port = Number(process.env["PORT"]);
  if (!(port > 0)) {
    return undefined;
  }
  const { occupants, lease } = await allocator.who(port);
  if (!occupants.some(({ pid, listens }) => listens && pid === process.pid)) {
    return undefined;
  }
  const { project, service } = keyOf(wish);
  if (lease !== null && lease.project === project && lease.service === service) {
    return allocator.confirm(lease, { pid: process.pid });
  }
  warnOnce(
    `\`${command}\` took port ${port}, which nobody leased for it, so the next server may take it as well. Next chooses its port before ` +
      `it reads its configuration: write \`portlease run -- ${command}\` into the scripts of package.json, or ` +
      `\`node --import portlease/register node_modules/next/dist/bin/${command}\`.`,
  );
  return undefined;
}

/** The URLs of the services that have a port, by the variables that are not set already. */
async function variables(
  allocator: Allocator,
  wish: Wish,
  urls: Record<string, string>,
  instance = 1,
): Promise<Record<string, string>> {
  const wanted = Object.entries(urls).filter(([, variable]) => process.env[variable] === undefined);
  if (wanted.length === 0) {
    return {};
  }
  const leases = await allocator.list({ projectId: keyOf(wish).project });
  const found = wanted.flatMap(([service, variable]) => {
    const lease = leases.find((lease) => lease.service === service && (lease.instance ?? 1) === instance);
    return lease === undefined ? [] : [[variable, urlOf(lease)]];
  });
  return Object.fromEntries(found) as Record<string, string>;
}

function urlOf({ port, requires = [] }: Lease): string {
  return `${requires.includes("https") ? "https" : "http"}://localhost:${port}`;
}

/** Where all copies of this module that a process may load find what was told. */
const TOLD = Symbol.for("portlease.next.told");

/** Next reads its configuration more than once in a process. */
function warnOnce(message: string): void {
  const holder = globalThis as { [TOLD]?: Set<string> };
  holder[TOLD] ??= new Set();
  if (!holder[TOLD].has(message)) {
    holder[TOLD].add(message);
    console.warn(`portlease: ${message}`);
  }
}
