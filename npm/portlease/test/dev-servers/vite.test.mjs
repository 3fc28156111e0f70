// The plugin with the real Vite.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";

import { stranger } from "../helpers/support.mjs";
import {
  assertOwn,
  bin,
  deadline,
  inRange,
  live,
  liveWithin,
  nothingGranted,
  nothingLeased,
  page,
  project,
  run,
  start,
  startInRun,
  stop,
  touch,
  until,
  write,
} from "./support.mjs";

/** Vite 8, and Vite 7. */
const VERSIONS = ["usual", "tanstack"];
const CONFIG = config("");

function config(options, rest = "") {
  return `import portlease from "portlease/vite"; export default { plugins: [portlease(${options})], ${rest} }`;
}

function shop(t, files = {}, servers = "usual") {
  return project(t, servers, { "index.html": "<h1>shop</h1>", "vite.config.mjs": CONFIG, ...files });
}

const vite = (made, ...words) => [bin(made, "vite", "bin/vite.js"), ...words];

for (const servers of VERSIONS) {
  test(`a server has a leased port, keeps it when it starts anew, and gives it back: ${servers}`, deadline, async (t) => {
    const made = await shop(t, {}, servers);
    const server = start(t, made, vite(made));
    const lease = await live(server);
    assertOwn(made, lease.port);
    await page(lease.port);

    for (const times of [1, 2]) {
      touch(made, "vite.config.mjs");
      await until("it starts anew", () => server.said.split("server restarted").length > times, server);
      await page(lease.port);
      assert.equal((await live(server)).generation, lease.generation);
    }

    await stop(server);
    await nothingLeased(made);
    assert.equal((await live(start(t, made, vite(made)))).port, lease.port);
  });

  test(`what is embedded into another server has a port for its socket alone: ${servers}`, deadline, async (t) => {
    const made = await shop(t, {
      "server.mjs": `import { createServer } from "vite";
        const server = await createServer({ server: { middlewareMode: true } });
        process.once("SIGUSR2", async () => {
          await server.restart();
          console.log("restarted");
        });
        process.once("SIGTERM", async () => {
          await server.close();
          console.log("closed");
          setInterval(() => {}, 1_000);
        });`,
    }, servers);
    const server = start(t, made, [join(made.folder, "server.mjs")]);
    const { port } = await live(server, "hmr");
    assertOwn(made, port);
    const answers = async () => (await fetch(`http://localhost:${port}`)).status;
    assert.equal(await answers(), 426);
    server.child.kill("SIGUSR2");
    await until("it starts anew", () => server.said.includes("restarted"), server);
    assert.equal(await answers(), 426);
    assert.deepEqual((await made.allocator.list()).map((lease) => [lease.service, lease.port]), [["hmr", port]]);
    assert.ok(!server.said.includes("deprecated"), server.said);
    server.child.kill("SIGTERM");
    await until("it is closed", () => server.said.includes("closed"), server);
    await nothingLeased(made);
  });
}

test("ten servers at once have ten ports", deadline, async (t) => {
  // Of several that start at once, Vite removes the prepared dependencies of one under the hands of another.
  const made = await shop(t, { "vite.config.mjs": config("", "cacheDir: `node_modules/.vite-${process.pid}`") });
  const servers = Array.from({ length: 10 }, () => start(t, made, vite(made)));
  const leases = await Promise.all(servers.map((server) => live(server)));
  assert.equal(new Set(leases.map(({ port }) => port)).size, 10);
  await Promise.all(leases.map(({ port }) => page(port)));
});

test("two checkouts of a project have two ports", deadline, async (t) => {
  const made = await shop(t);
  const other = await shop(t, { "portlease.toml": inRange(made.ports) });
  Object.assign(other, { registry: made.registry, allocator: made.allocator });
  const leases = await Promise.all([made, other].map((each) => live(start(t, each, vite(each)))));
  assert.deepEqual(leases.map(({ project }) => project), [made.folder, other.folder]);
  assert.notEqual(leases[0].port, leases[1].port);
  await Promise.all(leases.map(({ port }) => page(port)));
});

test("a port that the user wants is tried first, and a strict one is the only one", deadline, async (t) => {
  const made = await shop(t);
  const [, last] = made.ports;
  const wanted = start(t, made, vite(made, "--port", String(last)));
  assert.equal((await live(wanted)).port, last);
  await stop(wanted);

  await stranger(t, last);
  const other = start(t, made, vite(made, "--port", String(last)));
  const { port } = await live(other);
  assert.notEqual(port, last);
  assertOwn(made, port);
  await page(port);
  await stop(other);

  const strict = await run(t, made, vite(made, "--port", String(last), "--strictPort"));
  assert.equal(strict.code, 1);
  assert.match(strict.said, new RegExp(`PortleaseError: .*${last}.*`));
});

test("a server that starts anew goes to the strict port that it is told now", deadline, async (t) => {
  const made = await shop(t);
  const [, last] = made.ports;
  const server = start(t, made, vite(made));
  const before = await live(server);
  write(made, { "vite.config.mjs": config("", `server: { port: ${last}, strictPort: true }`) });
  await page(last);
  const told = async () => (await live(server)).port === last;
  await until("the lease is for that port", told, server);
  assert.notEqual(before.port, last);
  await stop(server);
  await nothingLeased(made);
});

test("what is foreign and on the first port is passed by", deadline, async (t) => {
  const made = await shop(t);
  const [first] = made.ports;
  await stranger(t, first);
  const { port } = await live(start(t, made, vite(made)));
  assert.equal(port, first + 1);
  await page(port);
});

test("a range in which nothing is free is an error that says so", deadline, async (t) => {
  const made = await shop(t);
  const [first] = made.ports;
  write(made, { "vite.config.mjs": config(`{ range: [${first}, ${first}] }`) });
  await stranger(t, first);
  const { code, said } = await run(t, made, vite(made));
  assert.equal(code, 1);
  assert.match(said, new RegExp(`PortleaseError: .*${first}`));
});

test("a build, the optimizer and Vitest lease nothing", deadline, async (t) => {
  const made = await shop(t);
  assert.equal((await run(t, made, vite(made, "build"))).code, 0);
  assert.equal((await run(t, made, vite(made, "optimize"))).code, 0);
  const server = start(t, made, vite(made), { env: { VITEST: "true" } });
  await until("it listens", () => /http:\/\/localhost:\d+/.test(server.said), server);
  await nothingGranted(made);
});

test("a preview has another port than the server", deadline, async (t) => {
  const made = await shop(t);
  const server = start(t, made, vite(made));
  const { port } = await live(server);
  await run(t, made, vite(made, "build"));
  const preview = start(t, made, vite(made, "preview"));
  const lease = await live(preview, "preview");
  assert.notEqual(lease.port, port);
  await page(lease.port);
  await stop(preview);
  assert.deepEqual((await made.allocator.list()).map((lease) => lease.service), ["web"]);
});

test("a killed server has the same port when it comes again", deadline, async (t) => {
  const made = await shop(t);
  const [, last] = made.ports;
  const first = start(t, made, vite(made, "--port", String(last)));
  const { port } = await live(first);
  await stop(first, "SIGKILL");
  assert.deepEqual((await made.allocator.validate()).map(({ status }) => status), ["stale"]);

  const second = start(t, made, vite(made));
  assert.equal((await live(second)).port, port);
  await stop(second, "SIGINT");
  assert.equal((await live(start(t, made, vite(made)))).port, port);
});

test("inside `portlease run` there is one lease, and the server is on its port", deadline, async (t) => {
  const made = await shop(t);
  const outer = startInRun(t, made, vite(made));
  const { port } = await liveWithin(outer);
  assertOwn(made, port);
  await page(port);
  touch(made, "vite.config.mjs");
  await until("it starts anew", () => outer.said.includes("server restarted"), outer);
  await page(port);
  assert.equal((await made.allocator.list()).length, 1);
  assert.equal((await made.allocator.stats()).counters.grants, 1);
});

test("without a registry Vite chooses a port, and there is a warning", deadline, async (t) => {
  const made = await shop(t);
  const server = start(t, { ...made, registry: `sqlite:${join(made.folder, "index.html", "registry.db")}` }, vite(made));
  await until("it listens", () => /http:\/\/localhost:\d+/.test(server.said), server);
  assert.match(server.said, /Portlease gives no port, so the server chooses one\. .*registry/);
});
