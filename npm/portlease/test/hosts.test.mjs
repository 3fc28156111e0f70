// The other hosts, where the registry is a file: what is leased there is told, and nobody answers for them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { freePorts, open, refused } from "./helpers/support.mjs";

test("a registry that is a file knows its hosts", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  assert.deepEqual(await allocator.listEverywhere(), {});
  const { port } = await allocator.reserveOrReallocatePort({ projectId: "shop", basePort });
  const [{ host, ...status }, ...others] = await allocator.hosts();
  assert.deepEqual([status, others], [{ leases: 1 }, []]);
  assert.deepEqual(allocator.hostsSync(), [{ host, leases: 1 }]);
  const ports = (everywhere) => Object.entries(everywhere).map(([name, leases]) => [name, leases.map((it) => it.port)]);
  assert.deepEqual(ports(await allocator.listEverywhere({ host })), [[host, [port]]]);
  assert.deepEqual(ports(allocator.listEverywhereSync({ projectId: "blog" })), []);
  const ranges = [[basePort, basePort + 9]];
  assert.equal((await allocator.statsEverywhere({ ranges }))[host].ranges[0].leased, 1);
  assert.equal(allocator.statsEverywhereSync({ ranges })[host].counters.grants, 1);
  assert.deepEqual((await allocator.releaseOn(host, { project: "shop" })).leases.map((it) => it.port), [port]);
  assert.deepEqual(allocator.releaseOnSync("nowhere", { project: "shop" }), { leases: [] });
  assert.equal((await allocator.hosts()).length, 1);
});

test("nobody answers for the hosts of a file", async (t) => {
  const allocator = await open(t);
  const wish = { projectId: "shop", framework: "vite" };
  await refused(() => allocator.reserveOn("worker-7", wish), "NO_FLEET");
  assert.throws(() => allocator.reserveOnSync("worker-7", wish), { code: "NO_FLEET", message: /postgres:/ });
  await refused(() => allocator.snapshotOf("worker-7"), "NO_FLEET");
  assert.throws(() => allocator.snapshotOfSync("worker-7"), { code: "NO_FLEET" });
});

test("what is no host, no plan and no time", async (t) => {
  const [allocator, wish] = [await open(t), { projectId: "shop", framework: "vite" }];
  for (const nonsense of [null, "", {}, [], true]) {
    await refused(() => allocator.confirmPlanOn(nonsense), "INVALID_ARGUMENT");
    assert.throws(() => allocator.confirmPlanOnSync(nonsense), { code: "INVALID_ARGUMENT" });
    await refused(() => allocator.reserveOn(nonsense, wish), "INVALID_ARGUMENT");
    await refused(() => allocator.releaseOn(nonsense, { project: "shop" }), "INVALID_ARGUMENT");
    await refused(() => allocator.snapshotOf(nonsense), "INVALID_ARGUMENT");
  }
  for (const timeout of ["long", -1, 0.5, {}]) {
    await refused(() => allocator.reserveOn("worker-7", wish, { timeout }), "INVALID_ARGUMENT", ({ details }) =>
      assert.equal(details.path, "timeout"),
    );
  }
  await refused(() => allocator.reserveOn("worker-7", { ...wish, host: "worker-7" }), "INVALID_ARGUMENT");
});
