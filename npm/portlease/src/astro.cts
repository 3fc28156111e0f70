/** The integration for Astro. */

import { fileURLToPath } from "node:url";

import type { Port } from "../types.js";
import { type Claim, type PluginOptions, tryToClaim, wished } from "./claim.cjs";

export type { PluginOptions } from "./claim.cjs";

/** An integration of Astro, without Astro's own types: whoever has no Astro needs none. */
export interface AstroIntegration {
  name: string;
  hooks: {
    "astro:config:setup"(setup: Setup): Promise<void>;
    "astro:server:start"(started: Started): void;
    "astro:server:done"(): void;
  };
}

/** What the integration needs to know, and to do, before a server is made. */
export interface Setup {
  command: string;
  config: { root: URL; server: { port?: Port }; vite: object };
  updateConfig(config: object): unknown;
  logger: Logger;
}

/** What it needs to know of a server that listens. */
export interface Started {
  address: { port: Port };
  logger: Logger;
}

/** Where its warnings go. */
export interface Logger {
  warn(message: string): void;
}

/** As much of a folder's URL as is needed. */
interface URL {
  readonly href: string;
}

/** The port for which Astro takes a configuration that names none. */
const DEFAULT = 4321;

/**
 * Gives the dev server of Astro a port of its own, and `astro preview` another.
 *
 * ```js
 * // astro.config.mjs
 * import portlease from "portlease/astro";
 * import { defineConfig } from "astro/config";
 *
 * export default defineConfig({ integrations: [portlease()] });
 * ```
 *
 * The port is leased when the server starts, the same one as last time if it can be had, and given back when it ends. A `server.port` or
 * `--port` of the user is the one to try first (4321 counts as none: Astro does not tell it from its own); with `strictPort` in
 * `vite.server`, that one or none.
 *
 * Nothing is leased by `astro build`, `astro sync` and `astro check`. Inside `portlease run` the server takes the port that is leased
 * already. When the registry cannot be used, Astro chooses the port, with a warning; a range without a free port, and a strict port that is
 * taken, are errors.
 */
export function portlease(options: PluginOptions = {}): AstroIntegration {
  let current: Claim | undefined;

  return {
    name: "portlease",
    hooks: {
      async "astro:config:setup"({ command, config, updateConfig, logger }) {
        current = undefined;
        const { port } = config.server;
        // Any port at all is what the user asked for.
        if ((command !== "dev" && command !== "preview") || port === 0) {
          return;
        }
        const warn = (message: string): void => logger.warn(message);
        const { server } = config.vite as { server?: { strictPort?: boolean } };
        const own = port === DEFAULT ? {} : { port, isStrict: server?.strictPort };
        const wish = wished(options, fileURLToPath(config.root.href), "astro", own);
        // A service of its own, unless the user names one: else Portlease would forget the port of the dev server.
        const service = options.service ?? "preview";
        current = await (command === "dev" ? tryToClaim(wish, warn) : tryToClaim({ ...wish, service }, warn, wish));
        if (current === undefined) {
          return;
        }
        updateConfig({ server: { port: current.port }, vite: { server: { strictPort: true } } });
        if (command === "preview") {
          // Astro says nothing about this server.
          current.awaitServer().catch(() => {});
        }
      },

      "astro:server:start"({ address, logger }) {
        current?.listens(address.port).catch((error: unknown) => {
          const reason = error instanceof Error ? error.message : String(error);
          logger.warn(`Portlease cannot say that the server listens. ${reason}`);
        });
      },

      "astro:server:done"() {
        // Astro ends its server before it makes the next one, when its configuration has changed.
        current?.leave({ lingers: true });
      },
    },
  };
}

export default portlease;
