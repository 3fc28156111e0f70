// What can be wished for, and what comes of it.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { folder, freePorts, open, program, refused, stranger } from "./helpers/support.mjs";

test("lists are any iterable", async (t) => {
  const [allocator, base] = [await open(t), await freePorts()];
  const range = { basePort: base, maxPort: base + 9 };
  function* ports(...values) {
    yield* values;
  }
  const port = async (projectId, wish) => (await allocator.reserveOrReallocatePort({ projectId, ...range, ...wish })).port;
  assert.equal(await port("array", { preferred: [base + 3] }), base + 3);
  assert.equal(await port("set", { preferred: new Set([base + 3, base + 4]) }), base + 4);
  assert.equal(await port("generator", { preferred: ports(base + 4, base + 5) }), base + 5);
  assert.equal(await port("keys", { exclude: new Map([[base, "taken"]]).keys() }), base + 1);
  assert.equal(await port("typed", { exclude: Uint16Array.of(base, base + 2) }), base + 6);
  assert.equal(await port("ranges", { exclude: [`${base}-${base + 7}`, [base + 8, base + 8]] }), base + 9);
  assert.equal(await port("none", { preferred: new Set(), exclude: [] }), base);
});

test("a strict port is granted or refused with who has it, and never another one", async (t) => {
  const [allocator, base] = [await open(t), await freePorts()];
  assert.equal(allocator.reserveOrReallocatePortSync({ projectId: "shop", port: base }).port, base);
  await refused(
    () => allocator.reserveOrReallocatePort({ projectId: "blog", port: base, autoReassign: false }),
    "PORT_UNAVAILABLE",
    ({ details }) => assert.deepEqual([details.by.project, details.by.service], ["shop", "web"]),
  );
  assert.equal(await allocator.getPortForProject("blog"), null);
});

test("a lease makes way for whoever insists, and the move is reported", async (t) => {
  const [allocator, base] = [await open(t), await freePorts()];
  const range = { basePort: base, maxPort: base + 9 };
  allocator.reserveOrReallocatePortSync({ projectId: "shop", ...range });
  const { port, moves } = await allocator.reserveOrReallocatePort({ projectId: "blog", ...range, port: base });
  assert.equal(port, base);
  assert.deepEqual(
    moves.map(({ project, from, to }) => [project, from, to]),
    [["shop", base, base + 1]],
  );
});

test("a full range is refused with its counts, and never left", async (t) => {
  const [allocator, base] = [await open(t), await freePorts()];
  const range = { basePort: base, maxPort: base + 2 };
  await stranger(t, base);
  allocator.reserveOrReallocatePortSync({ projectId: "shop", ...range });
  const wish = { projectId: "blog", ...range, exclude: [base + 2] };
  await refused(() => allocator.reserveOrReallocatePort(wish), "RANGE_EXHAUSTED", ({ message, details }) => {
    const { leased, occupied, excluded } = details.tally;
    assert.deepEqual([leased, occupied, excluded], [1, 1, 1]);
    assert.deepEqual(details.ranges, [[base, base + 2]]);
    assert.equal(details.leasedTo[0].by.project, "shop");
    assert.equal(details.occupiedBy[0].by.holder.pid, process.pid);
    assert.ok(message.includes("portlease ports"), message);
  });
  const spillover = [[base + 5, base + 6]];
  const further = await allocator.reserveOrReallocatePort({ ...wish, spillover });
  assert.deepEqual([further.port, further.tier], [base + 5, "spillover"]);
  const last = await allocator.reserveOrReallocatePort({ ...wish, projectId: "wiki", emergency: `${base + 7}-${base + 8}` });
  assert.deepEqual([last.port, last.tier], [base + 7, "emergency"]);
});

test("forceNew gives up the current port", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const wish = { projectId: "shop", basePort };
  const first = await allocator.reserveOrReallocatePort(wish);
  const second = await allocator.reserveOrReallocatePort({ ...wish, forceNew: true });
  assert.notEqual(second.port, first.port);
  assert.deepEqual([second.outcome, second.previousPort], ["reallocated", first.port]);
  assert.equal((await allocator.list()).length, 1);
});

test("skipPortCheck decides from the registry alone", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  await stranger(t, basePort);
  const port = (wish) => allocator.reserveOrReallocatePortSync({ basePort, ...wish }).port;
  assert.equal(port({ projectId: "here" }), basePort + 1);
  assert.equal(port({ projectId: "elsewhere", skipPortCheck: true }), basePort);
});

test("a port that somebody took meanwhile is given up", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const wish = { projectId: "shop", basePort };
  const other = program(t, process.execPath, ["--eval", "process.stdin.resume()"]);
  assert.equal((await allocator.reserveOrReallocatePort({ ...wish, holder: { pid: other.child.pid } })).port, basePort);
  await stranger(t, basePort);
  other.child.kill("SIGKILL");
  await other.ended;
  const { port, previousPort } = await allocator.reserveOrReallocatePort(wish);
  assert.deepEqual([port, previousPort], [basePort + 1, basePort]);
});

test("whoever holds the lease", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const holder = async (wish) => {
    const { port } = await allocator.reserveOrReallocatePort({ projectId: JSON.stringify(wish), basePort, ...wish });
    return (await allocator.who(port)).lease.holder?.pid;
  };
  assert.equal(await holder({}), undefined);
  assert.equal(await holder({ holder: "nobody" }), undefined);
  assert.equal(await holder({ holder: "self" }), process.pid);
  assert.equal(await holder({ holder: { pid: process.ppid } }), process.ppid);
});

test("hold answers a grant, which keeps the port", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const grant = await allocator.reserveOrReallocatePort({ projectId: "shop", basePort, hold: true });
  t.after(() => grant.release());
  assert.equal(grant.port, basePort);
  assert.equal((await allocator.who(basePort)).occupants[0].pid, process.pid);
  const sync = allocator.reserveOrReallocatePortSync({ projectId: "blog", basePort, hold: true });
  assert.equal(sync.port, basePort + 1);
  sync.releaseSync();
  const plain = await allocator.reserveOrReallocatePort({ projectId: "wiki", basePort, hold: false });
  assert.deepEqual((await allocator.who(plain.port)).occupants, []);
});

test("services that inherit, conflict and have priorities", async (t) => {
  const [allocator, base] = [await open(t), await freePorts()];
  const services = [
    { service: "hmr", inheritFrom: "web", requires: ["websocket"] },
    { service: "web", basePort: base, requires: new Set(["https"]) },
    { service: "api", basePort: base, priority: 1 },
  ];
  const grants = await allocator.reserveAll({ projectId: "shop", services });
  t.after(() => grants.release());
  assert.deepEqual([...grants].map(({ service }) => service), ["hmr", "web", "api"]);
  assert.equal(grants.get("api").port, base, "it has a higher priority");
  assert.equal(grants.get("hmr").port, grants.get("web").port);
  assert.equal(grants.get("hmr").url, `ws://localhost:${base + 1}`);
  assert.equal(grants.get("web").url, `https://localhost:${base + 1}`);
  assert.equal(grants.get("none"), undefined);
  const circle = [{ service: "a", inheritFrom: "b" }, { service: "b", inheritFrom: "a" }];
  await refused(() => allocator.reserveAll({ projectId: "x", services: circle }), "DEPENDENCY_CYCLE");
  const unknown = [{ service: "a", inheritFrom: "c" }];
  await refused(() => allocator.reserveAll({ projectId: "x", services: unknown }), "UNKNOWN_SERVICE");
  const twice = [{ service: "a" }, { service: "a" }];
  await refused(() => allocator.reserveAll({ projectId: "x", services: twice }), "DUPLICATE_SERVICE");
  const conflict = [{ service: "a", basePort: base }, { service: "b", inheritFrom: "a", conflicts: ["a"] }];
  await refused(() => allocator.reserveAll({ projectId: "x", services: conflict }), "CONFLICT_UNRESOLVED");
});

test("a variable is read where it is named", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  t.after(() => delete process.env.WISHED_PORT);
  const reserve = (projectId) => allocator.reserveOrReallocatePort({ projectId, basePort, envVar: "WISHED_PORT" });
  process.env.WISHED_PORT = `${basePort + 4}`;
  assert.equal((await reserve("usable")).port, basePort + 4);
  process.env.WISHED_PORT = "70000";
  const { port, warnings } = await reserve("unusable");
  assert.equal(port, basePort);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /WISHED_PORT is "70000"/);
  const services = [{ service: "a", basePort, envVar: { name: "OTHER", value: `${basePort + 6}` } }];
  assert.deepEqual(await allocator.allocateMultiplePorts(services, { projectId: "given" }), { a: basePort + 6 });
});

test("the configuration of a folder holds below the wish", async (t) => {
  const [allocator, base, cwd] = [await open(t), await freePorts(), folder()];
  writeFileSync(
    join(cwd, "portlease.toml"),
    `project = "configured"\n[services.api]\nrange = "${base}-${base + 4}"\npreferred = [${base + 2}]\n`,
  );
  const plain = await allocator.reserveOrReallocatePort({ cwd });
  assert.deepEqual([plain.project, plain.service, plain.port], ["configured", "api", base + 2]);
  const wished = await allocator.reserveOrReallocatePort({
    cwd: pathToFileURL(`${cwd}/`),
    projectId: "wished",
    preferred: [base + 3],
  });
  assert.deepEqual([wished.project, wished.port], ["wished", base + 3]);
  writeFileSync(join(cwd, "portlease.toml"), "projct = 'x'\n");
  await refused(() => allocator.reserveOrReallocatePort({ cwd }), "INVALID_CONFIG", ({ details }) => {
    assert.deepEqual([details.line, details.column], [1, 1]);
    assert.match(details.help, /project/);
  });
  const unread = await allocator.reserveOrReallocatePort({ projectId: "unread", basePort: base });
  assert.equal(unread.port, base, "whoever names a project and no folder does not hear of it");
});

test("scripts of the folder tell what a command runs", async (t) => {
  const [allocator, cwd] = [await open(t), folder()];
  writeFileSync(join(cwd, "package.json"), JSON.stringify({ scripts: { dev: "astro dev" } }));
  const { framework } = await allocator.reserveOrReallocatePort({ cwd, runCommand: "npm run dev", skipPortCheck: true });
  assert.equal(framework, "astro");
});

test("the configuration of the registry's folder has pools for everybody", async (t) => {
  const { Allocator } = await import("portlease");
  const [base, cwd] = [await freePorts(), folder()];
  writeFileSync(
    join(cwd, "portlease.toml"),
    `registry = "sqlite:own.db"\n[pools]\nred = "${base}-${base + 4}"\n[frameworks.ours]\ndefault = ${base + 6}\n`,
  );
  const allocator = await Allocator.open({ cwd });
  t.after(() => allocator.close());
  const port = (wish) => allocator.reserveOrReallocatePortSync({ basePort: base, maxPort: base + 9, ...wish }).port;
  assert.equal(port({ projectId: "shop" }), base + 5);
  assert.equal(port({ projectId: "blog", pool: "red" }), base);
  await refused(async () => port({ projectId: "wiki", pool: "blue" }), "UNKNOWN_POOL");
  assert.equal(await allocator.findAvailablePortInRange("ours"), base + 6);
});
