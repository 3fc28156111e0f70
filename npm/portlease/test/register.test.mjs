// `node --import portlease/register`, and `--require`.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { folder, freePorts, helper, open, program, registry, stranger } from "./helpers/support.mjs";

const deadline = { timeout: 30_000 };

/** The ways to begin with it. The package is found from here; the project is in another folder. */
const IMPORTED = ["--import", import.meta.resolve("portlease/register")];
const REQUIRED = ["--require", createRequire(import.meta.url).resolve("portlease/register")];

/** A project with a registry and ten ports of its own, and what runs in it. */
async function project(t) {
  const cwd = folder();
  const url = registry();
  const first = await freePorts();
  writeFileSync(join(cwd, "portlease.toml"), `project = "shop"\n[services.web]\nrange = "${first}-${first + 9}"\n`);
  const allocator = await open(t, url);
  const start = (what, { env = {}, way = IMPORTED, stderr = "inherit" } = {}) => {
    const options = { cwd, env: { ...process.env, PORTLEASE_REGISTRY: url, ...env }, stdio: ["ignore", "pipe", stderr] };
    const started = program(t, process.execPath, [...way, helper("server.mjs"), what], options);
    return { ...started, said: async () => JSON.parse(await started.line()) };
  };
  return { first, allocator, start };
}

/** The lease when its server was seen. */
async function live({ allocator }) {
  for (;;) {
    const [lease] = await allocator.list();
    if (lease?.state === "live") {
      return lease;
    }
    await pause(10);
  }
}

test("a server has its port before its code runs, and gives it back when it ends", deadline, async (t) => {
  const shop = await project(t);
  const server = shop.start("serve");
  const { port } = await server.said();
  assert.equal(port, shop.first);
  const lease = await live(shop);
  assert.deepEqual([lease.project, lease.service, lease.port, lease.holder.pid], ["shop", "web", port, server.child.pid]);
  assert.equal(await (await fetch(`http://localhost:${port}`)).text(), "served");
  server.child.kill("SIGTERM");
  await server.ended;
  assert.deepEqual(await shop.allocator.list(), []);
});

test("two of them have two ports", deadline, async (t) => {
  const shop = await project(t);
  const ports = await Promise.all([shop.start("serve"), shop.start("serve")].map(async (server) => (await server.said()).port));
  assert.deepEqual(ports.sort(), [shop.first, shop.first + 1]);
});

test("a PORT that is set is tried first", deadline, async (t) => {
  const shop = await project(t);
  const wanted = shop.first + 5;
  const first = shop.start("serve", { env: { PORT: String(wanted) } });
  assert.equal((await first.said()).port, wanted);
  first.child.kill("SIGTERM");
  await first.ended;
  await stranger(t, wanted);
  const second = shop.start("serve", { env: { PORT: String(wanted) } });
  assert.equal((await second.said()).port, shop.first);
});

test("what it starts is on its port, and leases none", deadline, async (t) => {
  const shop = await project(t);
  const parent = shop.start("parent");
  const { port } = await parent.said();
  const lease = await live(shop);
  assert.equal(lease.port, port);
  assert.notEqual(lease.listener.pid, parent.child.pid);
  assert.equal((await shop.allocator.stats()).counters.grants, 1);
});

test("what starts no server ends as ever, and gives the port back", deadline, async (t) => {
  const shop = await project(t);
  for (const way of [IMPORTED, REQUIRED]) {
    const program = shop.start("nothing", { way });
    const { port, run } = await program.said();
    assert.equal(Number(port), shop.first);
    assert.deepEqual(JSON.parse(run).ports, { web: shop.first });
    assert.deepEqual(await program.ended, [0, null]);
    assert.deepEqual(await shop.allocator.list(), []);
  }
});

test("a service that is named is another one", deadline, async (t) => {
  const shop = await project(t);
  const server = shop.start("serve", { env: { PORTLEASE_SERVICE: "api", PORT: String(shop.first + 3) } });
  const { port } = await server.said();
  assert.deepEqual([port, (await live(shop)).service], [shop.first + 3, "api"]);
});

test("a killed one has the same port when it comes again", deadline, async (t) => {
  const shop = await project(t);
  const first = shop.start("serve", { env: { PORT: String(shop.first + 7) } });
  const { port } = await first.said();
  await live(shop);
  first.child.kill("SIGKILL");
  await first.ended;
  const second = shop.start("serve");
  assert.equal((await second.said()).port, port);
});

/** What a program says when something is wrong, once it has ended. */
async function complaint({ child, ended }) {
  let said = "";
  child.stderr.on("data", (data) => {
    said += data;
  });
  return { code: (await ended)[0], said };
}

test("without a registry the server starts as ever, with a warning", deadline, async (t) => {
  const shop = await project(t);
  const env = { PORTLEASE_REGISTRY: `sqlite:${helper("server.mjs")}/registry.db` };
  const program = shop.start("nothing", { env, stderr: "pipe" });
  assert.deepEqual(await program.said(), {});
  const { code, said } = await complaint(program);
  assert.equal(code, 0);
  assert.match(said, /PortleaseWarning: Portlease gives no port, so the server chooses one\./);
});

test("what is wrong with the configuration keeps the server from starting", deadline, async (t) => {
  const shop = await project(t);
  const { code, said } = await complaint(shop.start("serve", { env: { PORTLEASE_PROFILE: "\u0007" }, stderr: "pipe" }));
  assert.equal(code, 1);
  assert.match(said, /PortleaseError: .*PORTLEASE_PROFILE/);
});
