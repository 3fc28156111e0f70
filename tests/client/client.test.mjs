// A client that is generated from the document of the service talks to a real one.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const document = fileURLToPath(new URL("../../crates/portlease-server/openapi.json", import.meta.url));

function generate() {
  const run = (script, ...parameters) =>
    execFileSync(process.execPath, [join(here, "node_modules", script), ...parameters], { cwd: here, stdio: "pipe", encoding: "utf8" });
  run("openapi-typescript/bin/cli.js", document, "--output", "schema.d.ts");
  run("typescript/bin/tsc", "--outDir", "built");
}

/** A port that nobody is on. */
async function free() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

test("a generated client leases a port, finds it, is refused and gives it back", async (context) => {
  generate();
  const folder = mkdtempSync(join(tmpdir(), "portlease-client-"));
  const home = { HOME: folder, XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder };
  const env = { ...process.env, ...home, PORTLEASE_REGISTRY: `sqlite:${join(folder, "registry.db")}`, CONTAINERIZATION_ENABLED: "false" };
  const service = spawn(process.env.PORTLEASE_BINARY, ["serve", "--json"], { env, cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  context.after(async () => {
    service.kill();
    await once(service, "exit");
    rmSync(folder, { recursive: true });
  });
  const [line] = await once(createInterface(service.stdout), "line");
  const port = await free();
  const { comeAndGo } = await import("./built/asking.js");
  assert.deepEqual(await comeAndGo(JSON.parse(line).url, port), {
    port,
    ports: [port],
    listed: [
      [JSON.parse(line).port, "live"],
      [port, "idle"],
    ].sort(([one], [other]) => one - other),
    owner: "generated",
    refused: [409, "RANGE_EXHAUSTED"],
    released: 1,
  });
});
