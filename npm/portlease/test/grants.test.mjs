// A grant from its reservation to its release, with real servers.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";

import { freePorts, open, program, refused, start, stranger } from "./helpers/support.mjs";

async function server(t, port) {
  const server = createServer((_, response) => response.end("hello"));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(port);
  await once(server, "listening");
  return server;
}

function cannotListen(port) {
  return assert.rejects(async () => {
    const server = createServer().listen(port);
    await once(server, "listening");
    server.close();
  }, { code: "EADDRINUSE" });
}

test("a server of this process comes in by the open gate", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const grant = await allocator.reserve({ projectId: "shop", basePort });
  assert.equal(grant.lease.state, "reserved");
  assert.equal(grant.lease.holder.pid, process.pid);
  await cannotListen(grant.port);
  grant.openGate();
  await server(t, grant.port);
  const lease = await grant.confirmWhenListening();
  assert.deepEqual([lease.state, grant.lease.state], ["live", "live"]);
  const response = await fetch(grant.url);
  assert.equal(await response.text(), "hello");
  assert.equal((await allocator.validate())[0].status, "live");
  await grant.release();
  assert.deepEqual(await allocator.list(), []);
  await grant.release();
});

test("a server of another process, which is not there yet", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const grant = await allocator.reserve({ projectId: "shop", basePort });
  grant.openGate();
  const script = `process.stdin.once("data", () => require("node:http").createServer().listen(${grant.port}))`;
  const { child } = program(t, process.execPath, ["--eval", script]);
  const confirmed = grant.confirmWhenListening({ pid: child.pid });
  child.stdin.write("now\n");
  assert.equal((await confirmed).listener.pid, child.pid);
  await grant.release();
});

test("a server that cannot come in by the gate binds after letGo", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const grant = allocator.reserveSync({ projectId: "shop", basePort });
  grant.letGo();
  grant.letGo();
  assert.deepEqual((await allocator.who(grant.port)).occupants, []);
  assert.equal(await allocator.isPortAvailable(grant.port), false, "it is still leased");
  await server(t, grant.port);
  assert.equal(grant.confirmSync().state, "live");
  grant.releaseSync();
  grant.releaseSync();
});

test("a stranger who takes the port is named", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const grant = await allocator.reserve({ projectId: "shop", basePort });
  t.after(() => grant.release());
  const { child } = program(t, process.execPath, ["--eval", "process.stdin.resume()"]);
  grant.letGo();
  await stranger(t, grant.port);
  await refused(
    () => grant.confirmWhenListening({ pid: child.pid, timeout: 10_000 }),
    "PORT_LOST",
    ({ details }) => assert.deepEqual([details.port, details.by.holder.pid], [grant.port, process.pid]),
  );
});

test("nobody comes", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const grant = await allocator.reserve({ projectId: "shop", basePort });
  t.after(() => grant.release());
  await refused(() => grant.confirmWhenListening({ timeout: 30 }), "NOT_LISTENING", ({ details }) => {
    assert.equal(details.port, grant.port);
    assert.ok(details.waitedMillis >= 30);
  });
  await refused(() => grant.confirmWhenListening({ timeout: 0 }), "NOT_LISTENING");
  const { child, ended } = program(t, process.execPath, ["--eval", "process.stdin.once('data', () => process.exit())"]);
  const confirmed = refused(() => grant.confirmWhenListening({ pid: child.pid }), "SERVER_ENDED");
  child.stdin.write("now\n");
  await ended;
  await confirmed;
  await refused(() => grant.confirmWhenListening({ pid: child.pid }), "SERVER_ENDED");
});

test("a signal ends the waiting", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const grant = await allocator.reserve({ projectId: "shop", basePort });
  t.after(() => grant.release());
  const controller = new AbortController();
  const waiting = refused(
    () => grant.confirmWhenListening({ signal: controller.signal }),
    "ABORTED",
    ({ cause }) => assert.equal(cause, "enough"),
  );
  controller.abort("enough");
  await waiting;
  await refused(() => grant.confirmWhenListening({ signal: AbortSignal.abort() }), "ABORTED");
});

test("a closed gate keeps others out while the server listens and after it", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const grant = await allocator.reserve({ projectId: "shop", basePort });
  t.after(() => grant.release());
  grant.openGate();
  const first = await server(t, grant.port);
  await grant.confirm();
  first.close();
  await once(first, "close");
  if (process.platform === "linux") {
    await cannotListen(grant.port);
    grant.openGate();
  }
  await server(t, grant.port);
  grant.closeGate();
});

test("a grant is released at the end of its scope", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const grant = await allocator.reserve({ projectId: "shop", basePort });
  await grant[Symbol.asyncDispose]();
  assert.deepEqual(await allocator.list(), []);
  const other = allocator.reserveSync({ projectId: "shop", basePort });
  assert.equal(other.port, grant.port, "and remembered");
  other[Symbol.dispose]();
  assert.deepEqual(await allocator.list(), []);
  const services = [{ service: "a", basePort }, { service: "b", basePort }];
  const both = await allocator.reserveAll({ projectId: "shop", services });
  assert.deepEqual([both.size, both.instance], [2, 1]);
  await both[Symbol.asyncDispose]();
  const again = allocator.reserveAllSync({ projectId: "shop", services });
  again[Symbol.dispose]();
  assert.deepEqual(await allocator.list(), []);
});

test("what was released cannot be used", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const grant = await allocator.reserve({ projectId: "shop", basePort });
  await grant.release();
  grant.letGo();
  await refused(async () => grant.openGate(), "RELEASED");
  await refused(async () => grant.closeGate(), "RELEASED");
  await refused(async () => grant.confirmSync(), "RELEASED");
  await refused(() => grant.confirm(), "RELEASED");
  await refused(() => grant.confirmWhenListening(), "RELEASED");
});

test("a grant outlives its allocator", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const grant = await allocator.reserve({ projectId: "shop", basePort });
  allocator.close();
  grant.openGate();
  await server(t, grant.port);
  assert.equal((await grant.confirmWhenListening()).state, "live");
  await grant.release();
});

test("a grant is data, too", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const grant = await allocator.reserve({ projectId: "shop", basePort });
  t.after(() => grant.release());
  const { lease, ...allocation } = JSON.parse(JSON.stringify(grant));
  assert.deepEqual(Object.keys(allocation), [
    "port", "framework", "url", "project", "service", "instance", "generation", "outcome", "tier", "moves", "warnings",
  ]);
  assert.equal(lease.port, grant.port);
  assert.ok(Array.isArray(grant.trace) && grant.trace.length > 0);
});

test("a second instance gets a port of its own, or what it asks for instead", async (t) => {
  const { registry } = await import("./helpers/support.mjs");
  const [url, basePort] = [registry(), await freePorts()];
  const wish = { projectId: "shop", basePort };
  const first = start(t, "holder.mjs", { registry: url, wish });
  assert.equal(JSON.parse(await first.line()).port, basePort);
  const allocator = await open(t, url);
  const another = await allocator.reserve(wish);
  assert.deepEqual([another.port, another.instance], [basePort + 1, 2]);
  await another.release();
  const attached = await allocator.reserve({ ...wish, ifRunning: "attach" });
  assert.deepEqual([attached.port, attached.outcome], [basePort, "attached"]);
  await attached.release();
  await refused(() => allocator.releasePortForProject("shop"), "NOT_OWNER", ({ details }) => {
    assert.equal(details.holder.pid, first.child.pid);
  });
  const taken = await allocator.reserve({ ...wish, ifRunning: "takeover", skipPortCheck: true });
  assert.equal(taken.outcome, "tookOver");
  await taken.release();
});
