/** The plugin for Vite, and for what is built on it: TanStack Start, SvelteKit, React Router, Remix, Nuxt and others. */

import { basename, resolve } from "node:path";

import type { Port } from "../types.js";
import { type Claim, type PluginOptions, type ServerWish, tryToClaim, wished } from "./claim.cjs";

export type { PluginOptions } from "./claim.cjs";

/** What the plugin reads of a configuration, and sets in it. */
interface Config {
  root?: string;
  server?: ServerConfig;
  preview?: { port?: Port; strictPort?: boolean };
}

interface ServerConfig {
  port?: Port;
  strictPort?: boolean;
  middlewareMode?: unknown;
  /** Vite 8.3 calls `ws` what was a part of `hmr`, and knows both. */
  hmr?: boolean | Socket;
  ws?: false | Socket;
}

/** The socket over which browsers hear of changes. */
interface Socket {
  port?: Port;
  server?: unknown;
}

/** What the plugin needs of a server. */
interface Server {
  config: { logger: Logger };
  httpServer: HttpServer | null;
  environments?: Record<string, object>;
}

interface HttpServer {
  address(): unknown;
  once(event: "listening" | "close", listener: () => void): unknown;
}

interface Logger {
  warn(message: string): void;
}

/** A plugin of Vite, without Vite's own types: whoever has no Vite needs none. */
export interface VitePlugin {
  name: string;
  apply: "serve";
  enforce: "post";
  config(config: object, env: { isPreview?: boolean | undefined }): Promise<object | undefined>;
  configResolved(config: object): void;
  configureServer(server: object): void;
  configurePreviewServer(server: object): void;
  closeBundle(this: object): void;
}

/**
 * Gives the dev server of Vite a port of its own, and the one of `vite preview` another.
 *
 * ```js
 * // vite.config.js
 * import portlease from "portlease/vite";
 * import { defineConfig } from "vite";
 *
 * export default defineConfig({ plugins: [portlease()] });
 * ```
 *
 * The port is leased when the server starts, the same one as last time if it can be had, and given back when it ends. A `server.port` or
 * `--port` of the user is the one to try first; with `strictPort`, that one or none. Where Vite is a part of another server (middleware
 * mode), the socket of hot module replacement gets a port of its own.
 *
 * Nothing is leased for a build, for the optimizer, and in Vitest. Inside `portlease run` the server takes the port that is leased already.
 * When the registry cannot be used, Vite chooses the port, with a warning; a range without a free port, and a strict port that is taken, are
 * errors.
 *
 * Two servers of one process that run at the same time need two services: `portlease({ service: "admin" })`.
 */
export function portlease(options: PluginOptions = {}): VitePlugin {
  /** What the server that is being configured has claimed. */
  let current: Claims = {};
  /** What ends with the servers that run, by their environments. */
  const ends = new WeakMap<object, () => void>();

  return {
    name: "portlease",
    apply: "serve",
    // Other plugins may have a port in mind, too.
    enforce: "post",

    async config(config: Config, { isPreview }) {
      current = {};
      if (isNoServer()) {
        return undefined;
      }
      const folder = resolve(config.root ?? ".");
      if (isPreview === true) {
        const own = ownPort(config.preview);
        const wish = wished(options, folder, "vite-preview", own);
        // A service of its own, unless the user names one: else Portlease would forget the port of the dev server.
        const preview = { ...wish, service: options.service ?? "preview" };
        current.web = own && (await tryToClaim(preview, console.warn, wish));
        return current.web && { preview: { port: current.web.port, strictPort: true } };
      }
      const server = config.server ?? {};
      const socket = separateSocket(server);
      const own = ownPort(server);
      const { middlewareMode = false } = server;
      current.web =
        middlewareMode === false && own !== undefined
          ? await tryToClaim(wished(options, folder, "vite", own), console.warn)
          : undefined;
      current.socket = socket && (await tryToClaim(socketOf(options, folder, socket), console.warn));
      return current.web && { server: { port: current.web.port, strictPort: true } };
    },

    configResolved({ server }: { server: ServerConfig }) {
      const { web, socket } = current;
      const own = { ...object(server.hmr), ...object(server.ws) };
      const isShared = own.port !== undefined && socket === undefined;
      const port = socket?.port ?? (isShared ? web?.port : undefined);
      if (port === undefined) {
        return;
      }
      // Vite 8.3 has made `ws` of everything the user said about it.
      if (typeof server.ws === "object") {
        server.ws.port = port;
      } else {
        server.hmr = { ...object(server.hmr), port };
      }
    },

    configureServer({ config, httpServer, environments = {} }: Server) {
      const { web, socket } = current;
      const warn = (error: unknown): void => config.logger.warn(notConfirmed(error));
      if (web !== undefined && httpServer !== null) {
        confirmed(web, httpServer, warn);
      }
      socket?.awaitServer().catch(warn);
      const end = (): void => {
        web?.leave();
        socket?.leave();
      };
      for (const environment of Object.values(environments)) {
        ends.set(environment, end);
      }
    },

    configurePreviewServer({ config, httpServer }: Server) {
      const { web } = current;
      if (web !== undefined && httpServer !== null) {
        confirmed(web, httpServer, (error) => config.logger.warn(notConfirmed(error)));
        httpServer.once("close", () => web.leave());
      }
    },

    // A server that starts anew in place ends with this as well, and one that never listened, too.
    closeBundle(this: { environment?: object }) {
      ends.get(this.environment ?? this)?.();
    },
  } as VitePlugin;
}

export default portlease;

interface Claims {
  web?: Claim | undefined;
  socket?: Claim | undefined;
}

/** Vite is asked for the configuration of a server also when it tests, or only fills its cache. */
function isNoServer(): boolean {
  const [, program = "", ...words] = process.argv;
  return process.env["VITEST"] !== undefined || (/^vite(\.js)?$/.test(basename(program)) && words.includes("optimize"));
}

/** The port that the user said; nothing at all when it is to be any port. */
function ownPort(said: { port?: Port; strictPort?: boolean } = {}): { port?: Port; isStrict: boolean } | undefined {
  const { port, strictPort = false } = said;
  if (port === undefined) {
    return { isStrict: false };
  }
  return port === 0 ? undefined : { port, isStrict: strictPort };
}

/** What the user says about a socket that listens by itself; nothing when it uses the port of a server. */
function separateSocket(server: ServerConfig): Socket | undefined {
  if (server.hmr === false || server.ws === false) {
    return undefined;
  }
  const socket: Socket = { ...object(server.hmr), ...object(server.ws) };
  const isSeparate = Boolean(server.middlewareMode) || (socket.port !== undefined && socket.port !== server.port);
  return isSeparate && !socket.server && socket.port !== 0 ? socket : undefined;
}

function socketOf({ projectId, service }: PluginOptions, cwd: string, { port }: Socket): ServerWish {
  return {
    cwd,
    service: service === undefined ? "hmr" : `${service}-hmr`,
    // Other profiles have no such range.
    profile: "development",
    preset: "viteHmr",
    preferred: port === undefined ? [] : [port],
    ...(projectId !== undefined && { projectId }),
  };
}

function confirmed(claim: Claim, server: HttpServer, warn: (error: unknown) => void): void {
  server.once("listening", () => {
    const { port } = server.address() as { port?: Port };
    claim.listens(port).catch(warn);
  });
}

function notConfirmed(error: unknown): string {
  return `Portlease cannot say that the server listens. ${error instanceof Error ? error.message : String(error)}`;
}

function object(value: unknown): Socket {
  return typeof value === "object" && value !== null ? value : {};
}
