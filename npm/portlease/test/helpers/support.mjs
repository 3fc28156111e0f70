// Registries of one's own, ports that nobody else is on, and programs beside the test.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { Allocator, isPortleaseError } from "portlease";

const folders = [];
process.on("exit", () => folders.forEach((path) => rmSync(path, { recursive: true, force: true, maxRetries: 5 })));

// Whoever runs the tests may have configured something.
process.env.XDG_CONFIG_HOME = folder();
for (const name of Object.keys(process.env)) {
  if (name.startsWith("PORTLEASE_") || name === "PORT" || name === "VERBOSE_PORT_ALLOCATOR") {
    delete process.env[name];
  }
}

/** A folder that is gone after the tests of this file, and after all that they close. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), "portlease-test-"));
  folders.push(path);
  return path;
}

/** The URL of a registry that nobody else has. */
export function registry() {
  return `sqlite:${join(folder(), "registry.db")}`;
}

/** An allocator with a registry of its own, closed after the test. */
export async function open(test, url = registry()) {
  const allocator = await Allocator.open({ registry: url });
  test.after(() => allocator.close());
  return allocator;
}

/** How many ports a test gets. */
const SIZE = 10;
/** Where they lie: below the range of outgoing connections. */
const [START, BLOCKS] = [12_000, 1_600];

/**
 * The first of ten neighbouring ports that nobody is on and no other test gets, whatever runs beside it: whoever listens on the port in
 * front of them has them, as long as its process lives.
 */
export async function freePorts() {
  for (let block = process.pid * 7; ; block += 1) {
    const guardPort = START + (block % BLOCKS) * (SIZE + 1);
    const guard = await listener(guardPort);
    if (!guard) {
      continue;
    }
    guard.unref();
    const ports = Array.from({ length: SIZE }, (_, index) => guardPort + 1 + index);
    const lingering = connected();
    const isFree = async (port) => !lingering.has(port) && canListen(port);
    if ((await Promise.all(ports.map(isFree))).every(Boolean)) {
      return ports[0];
    }
  }
}

/** The ports with connections of an earlier test. They linger for a minute, in which such a port is passed over. */
function connected() {
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"].filter((path) => existsSync(path));
  const addresses = tables.flatMap((path) => readFileSync(path, "utf8").match(/(?<=^ *\d+: [0-9A-F]+:)[0-9A-F]{4}/gm) ?? []);
  return new Set(addresses.map((port) => parseInt(port, 16)));
}

async function canListen(port) {
  const server = await listener(port);
  await new Promise((closed) => (server ? server.close(closed) : closed()));
  return server !== undefined;
}

/** A listener, if nobody else is there. */
async function listener(port) {
  const server = createServer().listen(port);
  try {
    await once(server, "listening");
    return server;
  } catch {
    return undefined;
  }
}

/** A program on a port that has nothing to do with Portlease. */
export async function stranger(test, port) {
  const server = createServer();
  server.listen(port);
  await once(server, "listening");
  test.after(() => server.close());
  return server;
}

/** A process that runs one of the helpers, what it says line by line, and its end. */
export function start(test, name, args, options = {}) {
  return program(test, process.execPath, [helper(name), JSON.stringify(args)], options);
}

/** Another program, in the same way. */
export function program(test, command, args, options = {}) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], ...options });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, "close");
  test.after(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) {
      throw new Error(`${command} ended and said nothing`);
    }
    return value;
  };
  return { child, line, ended };
}

/** The work is refused with this code. */
export async function refused(work, code, check = () => {}) {
  await assert.rejects(work, (error) => {
    assert.ok(isPortleaseError(error, code), `${error?.code}: ${error?.stack}`);
    check(error);
    return true;
  });
}

/** The path of a helper. */
export function helper(name) {
  return fileURLToPath(new URL(name, import.meta.url));
}
