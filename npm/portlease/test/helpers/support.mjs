// Registries of one's own, ports that nobody else is on, and programs beside the test.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

import { Allocator, isPortleaseError } from "portlease";

// Whoever runs the tests may have configured something.
process.env.XDG_CONFIG_HOME = folder();
for (const name of Object.keys(process.env)) {
  if (name.startsWith("PORTLEASE_") || name === "PORT" || name === "VERBOSE_PORT_ALLOCATOR") {
    delete process.env[name];
  }
}

/** A folder that is gone after the tests of this file. */
export function folder() {
  const path = mkdtempSync(join(tmpdir(), "portlease-test-"));
  after(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
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
let next = 0;

/**
 * The first of ten neighbouring ports that nobody is on, below the range of outgoing connections. Processes that were started one after
 * the other look in different places, so test files do not meet.
 */
export async function freePorts() {
  for (;;) {
    const first = 12_000 + ((process.pid * 100 + next * SIZE) % 18_000);
    next += 1;
    const ports = Array.from({ length: SIZE }, (_, index) => first + index);
    if ((await Promise.all(ports.map(canListen))).every(Boolean)) {
      return first;
    }
  }
}

function canListen(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
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
