// Every function, in both of its forms, on the registry of the environment.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

import * as portlease from "portlease";

import { freePorts, open, program, refused, registry, stranger } from "./helpers/support.mjs";

process.env.PORTLEASE_REGISTRY = registry();

/** Runs the scenario with the function that answers a promise, and with the one that works in place. */
function both(scenario, name, check) {
  test(`${scenario} (${name})`, (t) => check(t, portlease[name]));
  test(`${scenario} (${name}Sync)`, (t) => check(t, portlease[`${name}Sync`]));
}

let count = 0;
const project = () => `project ${(count += 1)}`;

both("a project gets a port and keeps it", "reserveOrReallocatePort", async (_, reserve) => {
  const [projectId, basePort] = [project(), await freePorts()];
  const wish = { projectId, basePort, maxPort: basePort + 9, framework: "vite" };
  const first = await reserve(wish);
  assert.equal(first.port, basePort);
  assert.equal(first.framework, "vite");
  assert.equal(first.url, `http://localhost:${basePort}`);
  assert.equal(first.project, projectId);
  assert.equal(first.service, "web");
  assert.equal(first.outcome, "new");
  assert.deepEqual([first.moves, first.warnings], [[], []]);
  const second = await reserve(wish);
  assert.deepEqual([second.port, second.generation, second.outcome], [first.port, first.generation, "reused"]);
});

both("the framework is found by what the caller knows", "reserveOrReallocatePort", async (_, reserve) => {
  const framework = async (wish) => (await reserve({ projectId: project(), skipPortCheck: true, ...wish })).framework;
  assert.equal(await framework({ projectType: "nextjs", runCommand: "next dev" }), "next");
  assert.equal(await framework({ runCommand: "astro dev" }), "astro");
  assert.equal(await framework({ detectedFramework: "vite", projectType: "next" }), "vite");
  assert.equal(await framework({ detectedFramework: "unheard-of" }), "default");
  assert.equal(await framework({}), "default");
});

both("a port is available until somebody has it", "isPortAvailable", async (t, isAvailable) => {
  const port = await freePorts();
  assert.equal(await isAvailable(port), true);
  assert.equal(await isAvailable(port, "127.0.0.1"), true);
  assert.equal(await isAvailable(port, "localhost"), true);
  await stranger(t, port);
  assert.equal(await isAvailable(port), false);
  portlease.reserveOrReallocatePortSync({ projectId: project(), port: port + 1 });
  assert.equal(await isAvailable(port + 1), false);
});

both("a port of the framework's range, or null", "findAvailablePortInRange", async (_, find) => {
  const port = await find("vite", 5200);
  assert.ok(port === null || (port >= 5173 && port <= 5273), `${port}`);
  const other = await find("next");
  assert.ok(other === null || (other >= 3000 && other <= 3100), `${other}`);
});

both("the port of a project, or null", "getPortForProject", async (_, get) => {
  const projectId = project();
  assert.equal(await get(projectId), null);
  const port = await freePorts();
  portlease.reservePortForProjectSync(projectId, port);
  assert.equal(await get(projectId), port);
});

both("this port and no other", "reservePortForProject", async (t, reserve) => {
  const port = await freePorts();
  const [shop, blog] = [project(), project()];
  const allocation = await reserve(shop, port);
  assert.deepEqual([allocation.port, allocation.tier, allocation.project], [port, "preferred", shop]);
  await refused(async () => reserve(blog, port), "PORT_UNAVAILABLE", ({ message, details }) => {
    assert.equal(details.port, port);
    assert.equal(details.by.project, shop);
    assert.ok(message.includes(shop), message);
  });
  await stranger(t, port + 1);
  await refused(async () => reserve(blog, port + 1), "PORT_UNAVAILABLE", ({ details }) => {
    assert.equal(details.verdict, "occupied");
    assert.equal(details.by.holder.pid, process.pid);
  });
  assert.equal(portlease.getPortForProjectSync(blog), null);
});

both("a project gives back what it has", "releasePortForProject", async (_, release) => {
  const projectId = project();
  assert.equal(await release(projectId), false);
  portlease.reservePortForProjectSync(projectId, await freePorts());
  assert.equal(await release(projectId), true);
  assert.equal(await release(projectId), false, "twice is harmless");
  assert.equal(portlease.getPortForProjectSync(projectId), null);
});

both("a port for a service of the current folder", "allocatePort", async (_, allocate) => {
  const [basePort, serviceName] = [await freePorts(), project()];
  const port = await allocate({ basePort, maxPort: basePort + 1, serviceName });
  assert.equal(port, basePort);
  assert.equal(await allocate({ basePort, maxPort: basePort + 1, serviceName }), port);
  assert.equal(await allocate({ basePort, maxPort: basePort + 1, serviceName: project() }), port + 1);
  await refused(
    async () => allocate({ basePort, maxPort: basePort + 1, serviceName: project() }),
    "RANGE_EXHAUSTED",
    ({ details }) => assert.equal(details.tally.leased, 2),
  );
});

both("several services get ports together or not at all", "allocateMultiplePorts", async (_, allocate) => {
  const [basePort, projectId] = [await freePorts(), project()];
  const range = { basePort, maxPort: basePort + 1 };
  const services = [{ serviceName: "web", ...range }, { service: "api", ...range }];
  const ports = await allocate(new Set(services), { projectId });
  assert.deepEqual(new Set(Object.values(ports)), new Set([basePort, basePort + 1]));
  assert.deepEqual(Object.keys(ports).sort(), ["api", "web"]);
  const other = project();
  const three = [...services, { service: "hmr", ...range }];
  await refused(async () => allocate(three, { projectId: other }), "RANGE_EXHAUSTED");
  const own = range.basePort + 5;
  const possible = { serviceName: "possible", basePort: own, maxPort: own };
  await refused(async () => allocate([possible, three[0]], { projectId: other }), "RANGE_EXHAUSTED");
  assert.equal(portlease.getPortForProjectSync(other), null, "nothing stays of what could not be had as a whole");
});

both("the port of a variable comes first", "getPortFromEnvOrAllocate", async (t, get) => {
  // What was told of a variable is not told again.
  const variable = `SOME_PORT_${(count += 1)}`;
  const [basePort, projectId] = [await freePorts(), project()];
  const wish = { projectId, maxPort: basePort + 9 };
  const warnings = [];
  const listen = (warning) => warnings.push(warning.message);
  process.on("warning", listen);
  t.after(() => process.off("warning", listen));
  t.after(() => delete process.env[variable]);

  assert.equal(await get(variable, basePort, "unset", wish), basePort);
  process.env[variable] = `${basePort + 5}`;
  assert.equal(await get(variable, basePort, "set", wish), basePort + 5);
  process.env[variable] = "";
  assert.equal(await get(variable, basePort, "empty", wish), basePort + 1);
  await stranger(t, basePort + 7);
  process.env[variable] = `${basePort + 7}`;
  assert.equal(await get(variable, basePort, "occupied", wish), basePort + 2);
  assert.deepEqual(await nextTurn(warnings), []);
  const unusable = ["abc", "0", "70000", " ", "-1", "3000.5"];
  for (const [index, value] of unusable.entries()) {
    process.env[variable] = value;
    const port = await get(variable, basePort, "unusable", wish);
    assert.equal(port, basePort + 3);
    const told = await nextTurn(warnings);
    assert.equal(told.length, index + 1);
    assert.ok(told[index].includes(variable) && told[index].includes(JSON.stringify(value)), told[index]);
  }
});

both("abandoned leases are counted", "cleanupAbandonedPorts", async (_, cleanup) => {
  const projectId = project();
  portlease.reservePortForProjectSync(projectId, await freePorts());
  assert.equal(await cleanup(7), 0);
  assert.equal(await cleanup(), 0);
  assert.ok((await cleanup(0)) >= 1);
  assert.equal(portlease.getPortForProjectSync(projectId), null);
});

both("what is true of each lease", "validateAllocatedPorts", async (t, validate) => {
  const [projectId, port] = [project(), await freePorts()];
  portlease.reservePortForProjectSync(projectId, port);
  const status = async () => (await validate()).find(({ lease }) => lease.project === projectId).status;
  assert.equal(await status(), "idle");
  await stranger(t, port);
  assert.equal(await status(), "live", "it belongs to nobody, so whoever comes is right");
  const other = program(t, process.execPath, ["--eval", "process.stdin.resume()"]);
  const holder = { pid: other.child.pid };
  portlease.reserveOrReallocatePortSync({ projectId, port, holder, skipPortCheck: true });
  assert.equal(await status(), "hijacked");
});

both("how the ports are used", "getPortUsageStats", async (_, stats) => {
  portlease.reserveOrReallocatePortSync({ projectId: project(), port: await freePorts() });
  const { ranges, counters, busiest } = await stats();
  assert.ok(ranges.some(({ name, range }) => name === "vite" && range[0] === 5173 && range[1] === 5273));
  assert.ok(counters.grants >= 1 && busiest.length >= 1);
  for (const { range, leased, occupied, free } of ranges) {
    assert.equal(leased + occupied + free, range[1] - range[0] + 1);
  }
});

test("the class has all of it, on a registry of its own", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const projectId = project();
  const allocation = await allocator.reserveOrReallocatePort({ projectId, basePort });
  assert.equal(portlease.getPortForProjectSync(projectId), null);
  assert.equal(await allocator.getPortForProject(projectId), basePort);
  const [lease] = await allocator.list();
  assert.deepEqual([lease.port, lease.generation, lease.state], [basePort, allocation.generation, "reserved"]);
  assert.equal((await allocator.confirm(allocation, { pid: process.pid })).state, "live");
  assert.equal((await allocator.who(basePort)).lease.project, projectId);
  assert.equal((await allocator.validate({ projectId })).length, 1);
  assert.deepEqual((await allocator.cleanup()).removed, []);
  assert.deepEqual((await allocator.stats({ ranges: [`${basePort}-${basePort + 9}`], top: 1 })).ranges, [
    { name: `${basePort}–${basePort + 9}`, range: [basePort, basePort + 9], leased: 1, occupied: 0, free: 9 },
  ]);
  const explanation = await allocator.explain({ projectId: "another", basePort, maxPort: basePort + 1 });
  assert.equal(explanation.reserved.services[0].lease.port, basePort + 1);
  assert.ok(explanation.trace.some(({ verdict }) => verdict === "leased"));
  assert.deepEqual(allocator.healthSync({ ports: [basePort + 9] }), [{ port: basePort + 9, status: "refused" }]);
  await stranger(t, basePort);
  const [health] = await allocator.health({ timeout: 2_000 });
  assert.deepEqual([health.port, health.status], [basePort, "healthy"]);
  await refused(() => allocator.release({ ...allocation, generation: 999 }), "NOT_OWNER");
  assert.equal((await allocator.release(allocation)).leases.length, 1);
  assert.equal((await allocator.release(allocation)).leases.length, 0);
  allocator.close();
  allocator.close();
  await refused(() => allocator.list(), "CLOSED");
  await refused(async () => allocator.listSync(), "CLOSED");
});

test("an allocator is closed at the end of its scope", async () => {
  const allocator = portlease.Allocator.openSync({ registry: "memory:" });
  await allocator[Symbol.asyncDispose]();
  await refused(() => allocator.list(), "CLOSED");
  const other = portlease.Allocator.openSync({ registry: "memory:" });
  other[Symbol.dispose]();
  await refused(() => other.list(), "CLOSED");
});

test("both doors lead to the same rooms", () => {
  const required = createRequire(import.meta.url)("portlease");
  assert.deepEqual(Object.keys(required).sort(), Object.keys(portlease).sort());
  for (const [name, value] of Object.entries(portlease)) {
    assert.equal(required[name], value, name);
  }
});

/** Warnings are told when the current turn of the event loop is over. */
function nextTurn(warnings) {
  return new Promise((resolve) => setImmediate(() => resolve(warnings)));
}
