// The planner: it plans as the machine would, and says what is wrong as the rest of the package does.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

import { PortleaseError } from "portlease";
import * as planner from "portlease/plan";

import { open } from "./helpers/support.mjs";

const { applyChanges, browserBlockedPorts, difference, explain, formatPorts, frameworks, init } = planner;
const { intersection, parsePorts, plan, Planner, presets, union } = planner;

const host = { host: "runner-7" };
const shop = { projectId: "shop", framework: "vite" };
const portOf = ({ reserved }) => reserved.services[0].lease.port;

function refused(work, code) {
  assert.throws(work, (error) => error instanceof PortleaseError && error.code === code && typeof error.details === "object");
}

test("what is required and what is imported is the same", () => {
  assert.equal(createRequire(import.meta.url)("portlease/plan").Planner, Planner);
  assert.equal(planner.PortleaseError, PortleaseError);
});

test("an empty host has the framework's default port", async () => {
  assert.equal(portOf(plan(host, shop)), 5173);
  assert.equal(portOf(plan(JSON.stringify(host), shop)), 5173);
  await init();
  assert.equal(portOf(plan(host, shop)), 5173);
});

test("it plans what a registry with the same leases would grant", async (context) => {
  const allocator = await open(context);
  const wishes = ["a", "b", "c"].map((projectId) => ({ projectId, basePort: 4100, maxPort: 4105, skipPortCheck: true, holder: "nobody" }));
  const mine = new Planner(host);
  for (const wish of wishes) {
    const planned = mine.plan(wish);
    const { reserved } = allocator.explainSync(wish);
    assert.equal(portOf(planned), reserved.services[0].lease.port);
    mine.apply(planned.changes);
    allocator.reserveSync(wish).letGo();
  }
  const leases = ({ project, service, port, generation }) => ({ project, service, port, generation });
  assert.deepEqual(mine.snapshot().registry.leases.map(leases), allocator.listSync().map(leases));
  mine.free();
});

test("occupied ports are passed over, and the explanation names them", () => {
  const busy = { ...host, facts: { now: 0, occupied: [{ port: 5173 }, { port: 5174 }] } };
  assert.equal(portOf(plan(busy, shop)), 5175);
  const { reserved, trace } = explain(busy, shop);
  assert.equal(portOf({ reserved }), 5175);
  assert.match(JSON.stringify(trace), /occupied/);
});

test("changes are applied to a snapshot, which stays as it was", () => {
  const before = { ...host };
  const after = applyChanges(before, plan(before, shop).changes);
  assert.deepEqual(before, host);
  assert.equal(after.registry.leases[0].port, 5173);
  assert.equal(portOf(plan(after, { ...shop, projectId: "blog" })), 5174);
});

test("one planner answers about the usage of the ranges", () => {
  const one = new Planner(applyChanges(host, plan(host, shop).changes));
  const { ranges } = one.stats({ ranges: [[5173, 5182]] });
  assert.equal(ranges[0].leased, 1);
  one.free();
});

test("what a user interface chooses from", () => {
  assert.deepEqual(frameworks().find(({ name }) => name === "vite")?.range, [5173, 5273]);
  assert.ok(presets().some(({ profile }) => profile === "production"));
  assert.ok(browserBlockedPorts().includes(6000));
});

test("sets of ports", () => {
  assert.deepEqual(parsePorts("3005, 3000-3004 ,80,"), [80, [3000, 3005]]);
  assert.deepEqual(parsePorts(""), []);
  assert.equal(formatPorts(["80-90", 91, [3000, 3000]]), "80-91, 3000");
  assert.deepEqual(union(new Set([1, 2]), ["3-5"]), [[1, 5]]);
  assert.deepEqual(intersection([[1, 10]], ["5-20"], [7]), [7]);
  assert.deepEqual(difference(["1-5"], [3]), [[1, 2], [4, 5]]);
});

test("what is wrong has the code that it has everywhere", () => {
  refused(() => plan(host, { projectId: "shop", port: 99_999 }), "INVALID_PORT");
  refused(() => plan(host, { projectId: "shop", prefered: [1] }), "INVALID_ARGUMENT");
  refused(() => plan(host, { projectId: "shop", cwd: "/" }), "INVALID_ARGUMENT");
  refused(() => plan(host, null), "INVALID_ARGUMENT");
  refused(() => plan({}, shop), "INVALID_SNAPSHOT");
  refused(() => plan("{", shop), "INVALID_SNAPSHOT");
  refused(() => plan(undefined, shop), "INVALID_SNAPSHOT");
  refused(() => parsePorts("3000-"), "INVALID_RANGE");
  refused(() => parsePorts(undefined), "INVALID_ARGUMENT");
  refused(() => union(3000), "INVALID_ARGUMENT");
  refused(() => applyChanges(host, 3), "INVALID_ARGUMENT");
  refused(() => applyChanges(host, [{ kind: "grow" }]), "INVALID_ARGUMENT");
  const cyclic = { ...host };
  cyclic.facts = cyclic;
  refused(() => plan(cyclic, shop), "INVALID_ARGUMENT");
});

test("a planner that was freed says so, and is freed once", () => {
  const one = new Planner(host);
  one.free();
  one.free();
  refused(() => one.plan(shop), "CLOSED");
});
