/**
 * Gives the server of this process a port of its own, in `process.env.PORT`, before its own code runs.
 *
 * ```sh
 * node --import portlease/register server.js
 * ```
 *
 * ```json
 * { "scripts": { "dev": "node --import portlease/register node_modules/next/dist/bin/next dev" } }
 * ```
 *
 * The project is that of the current folder, the service its main one or what `PORTLEASE_SERVICE` names. A `PORT` that is set is the one to
 * try first. The port is given back when the process ends. Processes that this one starts hear of it in `PORTLEASE_RUN`, and lease none for
 * the same service; neither does this one inside `portlease run`.
 */

import { Allocator, type Wish } from "./allocator.cjs";
import { isMistake } from "./claim.cjs";
import { portOfRun, tellRun } from "./outer.cjs";

/** The variable in which servers look for their port. */
const VARIABLE = "PORT";

function register(): void {
  const service = process.env["PORTLEASE_SERVICE"];
  const wish: Wish = { cwd: process.cwd(), ...(service !== undefined && { service }) };
  const port = portOfRun(wish);
  if (port === undefined) {
    lease(wish);
  } else {
    // Whoever started this process may have had a reason to say another one.
    process.env[VARIABLE] ??= String(port);
  }
}

function lease(wish: Wish): void {
  const allocator = Allocator.openSync();
  try {
    const grant = allocator.reserveSync({ ...wish, envVar: VARIABLE });
    for (const warning of grant.warnings) {
      process.emitWarning(warning, { type: "PortleaseWarning" });
    }
    grant.openGate();
    process.env[VARIABLE] = String(grant.port);
    tellRun(grant, grant.port);
    process.once("exit", () => grant.releaseSync());
    // The gate stays open: a server that starts anew in place, as Next's does, needs it again. Whoever starts no server loses nothing.
    const opened = (): void => grant.openGate();
    grant.confirmWhenListening({ keepAlive: false }).then(opened, () => {});
  } finally {
    allocator.close();
  }
}

try {
  register();
} catch (error) {
  if (isMistake(error)) {
    throw error;
  }
  const reason = error instanceof Error ? error.message : String(error);
  process.emitWarning(`Portlease gives no port, so the server chooses one. ${reason}`, { type: "PortleaseWarning" });
}
