// The registry of a fleet: hosts that share a real PostgreSQL, each in a network of its own.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

import { Allocator } from "portlease";
import { plan } from "portlease/plan";

import { freePorts, helper, open, program, refused } from "./test/helpers/support.mjs";
import { startCluster } from "./fleet/cluster.mjs";

/** Runs a program of Node.js on a host that nobody sees from here. */
function elsewhere(t, script, parameters, env = {}) {
  const asRoot = process.getuid() === 0 ? [] : ["--map-root-user"];
  const inside = ["sh", "-ec", 'ip link set lo up; exec "$@"', "sh", process.execPath, script, ...parameters];
  return program(t, "unshare", [...asRoot, "--net", ...inside], { env: { ...process.env, ...env } });
}

/** A host with a runner: its name, and a way to have a program listen there. */
async function startHost(t, url) {
  // Before it is killed, or its runner would be left behind.
  t.after(async () => {
    child.stdin.end();
    await ended;
  });
  const script = fileURLToPath(new URL("fleet/host.mjs", import.meta.url));
  const { child, line, ended } = elsewhere(t, script, [], { PORTLEASE_REGISTRY: url });
  const hear = async (type) => {
    for (;;) {
      const said = JSON.parse(await line());
      if (said.type === type) {
        return said;
      }
    }
  };
  const { host } = await hear("runs");
  const occupy = async (port) => {
    child.stdin.write(`${port}\n`);
    await hear("listens");
  };
  return { host, occupy, hear };
}

/** What is known of a host as soon as its runner has reported. */
async function reported(allocator, host) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      return await allocator.snapshotOf(host);
    } catch (error) {
      if (error.code !== "NO_RUNNER" || Date.now() > deadline) {
        throw error;
      }
    }
  }
}

if (process.platform === "linux") {
  test("processes on two hosts have the same port each, and both are told of", async (t) => {
    const { url } = await startCluster(t);
    const wish = { projectId: "shop", basePort: 4000, maxPort: 4100 };
    const asked = [JSON.stringify({ registry: url, wish })];
    const holders = [1, 2].map(() => elsewhere(t, helper("holder.mjs"), asked));
    const grants = await Promise.all(holders.map(async ({ line }) => JSON.parse(await line())));
    assert.deepEqual(grants.map(({ port }) => port), [4000, 4000]);

    const allocator = await open(t, url);
    const everywhere = Object.values(await allocator.listEverywhere({ projectId: "shop" }));
    assert.deepEqual(everywhere.map((leases) => leases.map(({ port }) => port)), [[4000], [4000]]);
    assert.deepEqual(allocator.listEverywhereSync({ projectId: "blog" }), {});
    const hosts = (await allocator.hosts()).filter(({ leases }) => leases === 1);
    assert.deepEqual(hosts.map(({ host }) => host), Object.keys(await allocator.listEverywhere()));
    assert.ok(hosts.every(({ silentForSeconds }) => silentForSeconds === undefined), "none of them has a runner");
    const stats = await allocator.statsEverywhere({ ranges: ["4000-4100"] });
    assert.deepEqual(hosts.map(({ host }) => stats[host].ranges[0].leased), [1, 1]);
  });

  test("a project has the same port tomorrow", async (t) => {
    const [{ url }, basePort] = [await startCluster(t), await freePorts()];
    const today = await Allocator.open({ registry: url });
    const { port } = await today.reserveOrReallocatePort({ projectId: "shop", basePort, startPort: basePort + 3 });
    assert.equal(port, basePort + 3);
    assert.equal(await today.releasePortForProject("shop"), true);
    today.close();
    const tomorrow = await open(t, url);
    assert.equal((await tomorrow.reserveOrReallocatePort({ projectId: "shop", basePort })).port, port);
  });

  test("ports of a host that is not seen: planned, declined, planned again, confirmed and given back", async (t) => {
    const { url } = await startCluster(t);
    const [allocator, { host, occupy, hear }] = [await open(t, url), await startHost(t, url)];
    const snapshot = await reported(allocator, host);
    const [granted] = await allocator.reserveOn(host, { projectId: "shop", framework: "vite" });
    assert.equal(granted.lease.port, 5173);
    assert.equal(granted.lease.holder, undefined);

    const wish = { projectId: "blog", basePort: 4000 };
    const old = plan(snapshot, wish);
    await occupy(4000);
    let details;
    await refused(() => allocator.confirmPlanOn(old), "PLAN_OUTDATED", (error) => ({ details } = error));
    assert.deepEqual(details.wrong.map(({ port, verdict }) => [port, verdict]), [[4000, "occupied"]]);
    const [confirmed] = await allocator.confirmPlanOn(plan(details.snapshot, wish));
    assert.equal(confirmed.lease.port, 4001);
    await hear("confirmed");

    const leases = (await allocator.listEverywhere({ host }))[host];
    assert.deepEqual(leases.map(({ project, port }) => [project, port]), [["blog", 4001], ["shop", 5173]]);
    const { silentForSeconds } = (await allocator.hosts()).find((status) => status.host === host);
    assert.ok(silentForSeconds < 60);
    const released = await allocator.releaseOn(host, { project: "shop" });
    assert.deepEqual(released.leases.map(({ port }) => port), [5173]);

    await refused(() => allocator.reserveOn("nowhere", { projectId: "shop" }), "NO_RUNNER");
    await refused(() => allocator.reserveOn(host, { framework: "vite" }), "INVALID_ARGUMENT", ({ message }) =>
      assert.match(message, /projectId/),
    );
  });

  test("a database that is gone is told of, without its password", async (t) => {
    const { url, password, stop } = await startCluster(t);
    const allocator = await open(t, url);
    assert.deepEqual(await allocator.list(), []);
    await stop();
    const secrets = [password, encodeURIComponent(password)];
    const check = ({ message, stack, details }) => {
      assert.ok(message.length > 40, message);
      const told = `${message} ${stack} ${JSON.stringify(details)}`;
      assert.ok(!secrets.some((secret) => told.includes(secret)), told);
    };
    await refused(() => allocator.list(), "UNAVAILABLE", check);
    await refused(() => Allocator.open({ registry: url }), "UNAVAILABLE", check);
  });
}
