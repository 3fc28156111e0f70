// Many threads and processes at once, and what becomes of those that are killed.

import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as after } from "node:timers/promises";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

import { freePorts, helper, open, program, registry, start } from "./helpers/support.mjs";

test("ten processes at once get ten ports", async (t) => {
  const [url, basePort] = [registry(), await freePorts()];
  const processes = Array.from({ length: 10 }, (_, index) =>
    start(t, "holder.mjs", { registry: url, wish: { projectId: `project ${index}`, basePort, maxPort: basePort + 9 } }),
  );
  const grants = await Promise.all(processes.map(async ({ line }) => JSON.parse(await line())));
  const ports = grants.map(({ port }) => port).sort();
  assert.deepEqual(ports, Array.from({ length: 10 }, (_, index) => basePort + index));
});

test("ten instances of the same project at once get ten ports", async (t) => {
  const [url, basePort] = [registry(), await freePorts()];
  const processes = Array.from({ length: 10 }, () =>
    start(t, "holder.mjs", { registry: url, wish: { projectId: "shop", basePort, maxPort: basePort + 9 } }),
  );
  const grants = await Promise.all(processes.map(async ({ line }) => JSON.parse(await line())));
  assert.equal(new Set(grants.map(({ port }) => port)).size, 10);
  assert.equal(new Set(grants.map(({ instance }) => instance)).size, 10);
});

test("forked processes have registries of their own", async (t) => {
  const [url, basePort] = [registry(), await freePorts()];
  const children = Array.from({ length: 4 }, (_, index) => {
    const wish = { projectId: `project ${index}`, basePort };
    const child = fork(helper("holder.mjs"), [JSON.stringify({ registry: url, wish, releases: true })], { silent: true });
    t.after(() => child.kill());
    return child;
  });
  const codes = await Promise.all(children.map(async (child) => (await once(child, "exit"))[0]));
  assert.deepEqual(codes, [0, 0, 0, 0]);
  assert.deepEqual(await (await open(t, url)).list(), []);
});

test("workers have registries of their environment", async (t) => {
  const basePort = await freePorts();
  const env = { ...process.env, PORTLEASE_REGISTRY: registry() };
  const workers = Array.from({ length: 4 }, (_, index) => {
    const workerData = { projectId: `project ${index}`, basePort, maxPort: basePort + 3 };
    return new Worker(helper("worker.mjs"), { env, workerData });
  });
  const answers = await Promise.all(workers.map(async (worker) => (await once(worker, "message"))[0]));
  await Promise.all(workers.map((worker) => worker.terminate()));
  assert.deepEqual(answers.map(([port]) => port).sort(), [basePort, basePort + 1, basePort + 2, basePort + 3]);
  assert.ok(answers.every(([port, again]) => port === again));
  const allocator = await open(t, env.PORTLEASE_REGISTRY);
  assert.equal((await allocator.list()).length, 4);
});

test("a worker that is terminated in the middle takes nobody with it", async (t) => {
  const [url, basePort] = [registry(), await freePorts()];
  const script = `
    const { Allocator } = require("portlease");
    const { parentPort, workerData } = require("node:worker_threads");
    const allocator = Allocator.openSync({ registry: workerData.url });
    const ask = () => allocator.reserveOrReallocatePort({ projectId: "w", basePort: workerData.basePort }).then(ask);
    for (let index = 0; index < 8; index += 1) ask();
    parentPort.postMessage("asking");`;
  for (let round = 0; round < 5; round += 1) {
    const worker = new Worker(script, { eval: true, workerData: { url, basePort } });
    await once(worker, "message");
    await worker.terminate();
  }
  const allocator = await open(t, url);
  const { port } = await allocator.reserveOrReallocatePort({ projectId: "shop", basePort });
  assert.ok(port === basePort || port === basePort + 1);
});

test("a hundred promises at once do not disturb each other", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const wish = (index) => ({ projectId: `project ${index % 10}`, basePort, maxPort: basePort + 9 });
  const allocations = await Promise.all(
    Array.from({ length: 100 }, (_, index) => allocator.reserveOrReallocatePort(wish(index))),
  );
  for (const [index, { port, project }] of allocations.entries()) {
    assert.equal(project, `project ${index % 10}`);
    assert.equal(port, allocations[index % 10].port);
  }
  assert.equal(new Set(allocations.map(({ port }) => port)).size, 10);
});

test("a promise that waits for the registry lets the event loop go on", async (t) => {
  const [url, basePort] = [registry(), await freePorts()];
  const allocator = await open(t, url);
  // Another program has the lock of the registry until it is told to let go.
  const lock = `${url.slice("sqlite:".length)}.lock`;
  const script = 'open(my $f, "+<", $ARGV[0]) or die; flock($f, 2) or die; $| = 1; print "locked\\n"; <STDIN>;';
  const locker = program(t, "perl", ["-e", script, lock]);
  assert.equal(await locker.line(), "locked");

  let isAnswered = false;
  const answer = allocator.reserveOrReallocatePort({ projectId: "shop", basePort }).then((allocation) => {
    isAnswered = true;
    return allocation;
  });
  for (let turn = 0; turn < 10; turn += 1) {
    await after(1);
    assert.equal(isAnswered, false, "the lock is not kept");
  }
  locker.child.stdin.end();
  assert.equal((await answer).port, basePort);
});

test("waiting for servers takes no thread of the pool away", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const services = Array.from({ length: 8 }, (_, index) => ({ service: `service ${index}`, basePort }));
  const grants = await allocator.reserveAll({ projectId: "shop", services });
  t.after(() => grants.release());
  const controller = new AbortController();
  const waiting = [...grants].map((grant) => grant.confirmWhenListening({ signal: controller.signal }).catch(() => "ended"));
  // The pool has four threads: with eight that wait, nothing else would be answered.
  assert.equal((await allocator.list()).length, 8);
  controller.abort();
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set(["ended"]));
});

test("the lease of a killed process is told as what it is, and its port comes back", async (t) => {
  const [url, basePort] = [registry(), await freePorts()];
  const holder = start(t, "holder.mjs", { registry: url, wish: { projectId: "shop", basePort, maxPort: basePort } });
  const { port } = JSON.parse(await holder.line());
  const allocator = await open(t, url);
  const status = async () => (await allocator.validate())[0].status;
  assert.equal(await status(), "live", "it holds the port");
  assert.equal((await allocator.cleanup()).removed.length, 0);
  holder.child.kill("SIGKILL");
  await holder.ended;
  assert.equal(await status(), "stale");
  const { port: given } = await allocator.reserveOrReallocatePort({ projectId: "blog", basePort, maxPort: basePort });
  assert.equal(given, port, "there was no other, and its owner is gone");
});

test("cleanup removes what killed processes left", async (t) => {
  const [url, basePort] = [registry(), await freePorts()];
  const holder = start(t, "holder.mjs", { registry: url, wish: { projectId: "shop", basePort } });
  await holder.line();
  holder.child.kill("SIGKILL");
  await holder.ended;
  const { removed } = await (await open(t, url)).cleanup();
  assert.deepEqual(removed.map(({ lease, evidence }) => [lease.project, evidence]), [["shop", "dead"]]);
});
