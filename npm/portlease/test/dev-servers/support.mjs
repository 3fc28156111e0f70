// Projects with the real dev servers, and these servers while they run.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { freePorts, open, registry } from "../helpers/support.mjs";

const require = createRequire(import.meta.url);

/** The folder of the package that is tested. */
const home = dirname(require.resolve("portlease/package.json"));

/** How long a server may take for anything, in milliseconds. */
export const deadline = { timeout: 60_000 };

/**
 * A project below a folder with dev servers (`usual`, `tanstack` or `others`: see tests/packed/dev-servers.mjs), with a registry and ten ports
 * of its own.
 */
export async function project(test, servers, files) {
  const folder = realpathSync(mkdtempSync(join(process.env.DEV_SERVERS, `dev-servers-${servers}`, "plugins-")));
  const started = [];
  test.after(async () => {
    // Hooks run in the order in which they were made, and a server that still writes would be in the way of the folder's end.
    await Promise.all(started.map(end));
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  const first = await freePorts();
  const made = { folder, servers, registry: registry(), ports: [first, first + 9], started };
  made.allocator = await open(test, made.registry);
  write(made, { "package.json": '{"name": "shop", "private": true}', "portlease.toml": inRange(made.ports), ...files });
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(home, join(folder, "node_modules", "portlease"), "junction");
  return made;
}

/** A configuration by which services, and the sockets of Vite, have their ports in a range. */
export function inRange([first, last], services = ["web", "preview", "api"]) {
  const range = `"${first}-${last}"`;
  const each = services.map((name) => `services.${name}.range = ${range}`);
  return `${each.join("\n")}\npresets.development.viteHmr = ${range}\n`;
}

/** Starts Node.js inside a run that has one service. */
export function startInRun(test, made, words) {
  write(made, { "portlease.toml": inRange(made.ports, ["web"]) });
  return start(test, made, [portlease, "run", "--", process.execPath, ...words]);
}

/** Writes files of a project. */
export function write({ folder }, files) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

/** Changes a file so that whoever watches it sees it. */
export function touch({ folder }, name) {
  appendFileSync(join(folder, name), "\n");
}

/** The program of an installed package, as Node.js starts it. */
export function bin({ servers }, name, path) {
  return join(process.env.DEV_SERVERS, `dev-servers-${servers}`, "node_modules", name, path);
}

/** The command line of Portlease, as Node.js starts it. */
const portlease = join(home, "bin", "portlease.cjs");

/** Starts Node.js in a project. What it starts in turn ends with it. */
export function start(test, made, words, options = {}) {
  const child = spawn(process.execPath, words, {
    cwd: options.cwd ?? made.folder,
    env: { ...environment(made), ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const server = { child, said: "", made };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      server.said += text;
    });
  }
  server.ended = once(child, "close").then(([code, signal]) => ({ code, signal, said: server.said }));
  made.started.push(server);
  return server;
}

async function end(server) {
  kill(server.child.pid);
  await server.ended;
}

/** All that is left of what was started. */
function kill(group) {
  try {
    process.kill(-group, "SIGKILL");
  } catch (error) {
    assert.equal(error.code, "ESRCH");
  }
}

function environment({ registry }) {
  return {
    ...process.env,
    PORTLEASE_REGISTRY: registry,
    NEXT_TELEMETRY_DISABLED: "1",
    ASTRO_TELEMETRY_DISABLED: "1",
    NO_COLOR: "1",
    FORCE_COLOR: undefined,
    // Node's test runner tells its children that they are tests.
    NODE_TEST_CONTEXT: undefined,
  };
}

/** Runs Node.js in a project until it ends. */
export function run(test, made, words, options) {
  return start(test, made, words, options).ended;
}

/** Looks again and again until there is what is looked for. */
export async function until(what, look, server) {
  const end = performance.now() + 30_000;
  for (;;) {
    const found = await look();
    if (found) {
      return found;
    }
    const hasEnded = server !== undefined && (server.child.exitCode ?? server.child.signalCode) !== null;
    if (hasEnded || performance.now() > end) {
      throw new Error(`${what}: that did not come to be.\n${server?.said ?? ""}`);
    }
    await pause(20);
  }
}

/** The lease of a server that listens. */
export function live(server, service = "web") {
  return listens(server, service, ({ holder }) => holder?.pid === server.child.pid);
}

/** The lease of a server that somebody started who was started here. */
export function liveWithin(server, service = "web") {
  return listens(server, service, () => true);
}

function listens(server, service, isIt) {
  const isLive = (lease) => lease.service === service && lease.state === "live" && isIt(lease);
  return until(`${service} listens`, async () => (await server.made.allocator.list()).find(isLive), server);
}

/** The page that somebody serves on a port, as soon as it is the one that is expected. */
export async function page(port, text = "shop", server) {
  const get = async () => {
    try {
      const answer = await fetch(`http://localhost:${port}/`, { headers: { accept: "text/html" } });
      const body = await answer.text();
      return answer.ok && body.includes(text);
    } catch {
      return false;
    }
  };
  await until(`port ${port} serves ${text}`, get, server);
}

/** Asks a server to end. */
export async function stop(server, signal = "SIGTERM") {
  server.child.kill(signal);
  return server.ended;
}

/** Nothing is leased. */
export async function nothingLeased({ allocator }) {
  assert.deepEqual(await allocator.list(), []);
}

/** Nothing was ever leased. */
export async function nothingGranted({ allocator }) {
  const { counters } = await allocator.stats();
  assert.equal(counters.grants, 0);
}

/** A port is one of the project's. */
export function assertOwn({ ports: [first, last] }, port) {
  assert.ok(first <= port && port <= last, `${port} is not in ${first}-${last}`);
}
