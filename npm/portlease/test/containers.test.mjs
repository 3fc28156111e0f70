// Ports of containers, with an engine that says what a test wants.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";

import { open } from "./helpers/support.mjs";

/** An allocator that asks an engine, which has these containers, and what the engine was told to do. */
async function withEngine(t, containers, variables = {}) {
  const acts = [];
  const engine = createServer((request, response) => {
    if (request.method !== "GET") {
      acts.push(`${request.method} ${request.url}`);
      containers.length = 0;
      response.writeHead(204).end();
    } else if (containers === undefined) {
      response.writeHead(500).end();
    } else if (request.url.startsWith("/containers/json")) {
      response.end(JSON.stringify(containers));
    } else {
      // Events may come at any time.
      response.flushHeaders();
    }
  });
  engine.listen(0, "127.0.0.1");
  await once(engine, "listening");
  const said = { DOCKER_HOST: `tcp://127.0.0.1:${engine.address().port}`, CONTAINERIZATION_ENGINE: "docker", ...variables };
  Object.assign(process.env, said);
  const allocator = await open(t);
  for (const name of Object.keys(said)) {
    delete process.env[name];
  }
  t.after(() => {
    engine.close();
    engine.closeAllConnections();
  });
  return { allocator, acts };
}

const container = (port, Labels = {}) => ({
  Id: "0f".repeat(32),
  Names: ["/web-1"],
  State: "running",
  Created: 1,
  Labels,
  Ports: [{ PrivatePort: 80, PublicPort: port, Type: "tcp" }],
});

test("an application keeps its port, and gets another one when it wants to", async (t) => {
  const { allocator } = await withEngine(t, []);
  const port = await allocator.allocatePort("56");
  assert.ok(port >= 32100 && port <= 32200, `${port}`);
  assert.equal(await allocator.allocatePort("56", false), port);
  assert.notEqual(await allocator.allocatePort("57"), port);
  assert.notEqual(await allocator.allocatePort("56", true), port);
});

test("a port that a container has is not granted", async (t) => {
  const free = await (await withEngine(t, [])).allocator.allocatePort("56");
  const { allocator } = await withEngine(t, [container(free)]);
  assert.notEqual(await allocator.allocatePort("56"), free);
  const { containers } = await allocator.who(free);
  assert.deepEqual([containers[0].name, containers[0].state], ["web-1", "running"]);
  const { trace } = await allocator.explain({ projectId: "shop", port: free });
  assert.equal(trace[0].verdict, "occupied");
  assert.equal(trace[0].by[0].name, "web-1");
});

test("an engine that cannot answer is a warning", async (t) => {
  const { allocator } = await withEngine(t, undefined);
  const { warnings } = await allocator.reserveOrReallocatePort({ projectId: "shop", basePort: 32100 });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], /^docker at tcp:.* answered with HTTP status 500: /);
  const told = [];
  const tell = (warning) => told.push(warning.name);
  process.on("warning", tell);
  await allocator.allocatePort("56");
  await allocator.allocatePort("57");
  await new Promise(setImmediate);
  process.off("warning", tell);
  assert.deepEqual(told, ["PortleaseWarning"], "once");
});

test("an engine that cannot answer is a warning for several ports at once, too", async (t) => {
  const { allocator } = await withEngine(t, undefined);
  const warning = once(process, "warning");
  await allocator.allocateMultiplePorts([{ service: "web", basePort: 32100 }, { service: "api", basePort: 32100 }], { projectId: "shop" });
  assert.match((await warning)[0].message, /^docker at tcp:.* answered with HTTP status 500: /);
});

test("an application's own container makes way when that is asked for", async (t) => {
  const free = await (await withEngine(t, [])).allocator.allocatePort("56");
  const wish = { projectId: "56", basePort: free, preferred: [free] };
  const own = () => [container(free, { "portlease.project": "56" })];
  for (const [variables, reclaim] of [
    [{}, true],
    [{ AUTO_KILL_PORT: "true" }, undefined],
  ]) {
    const { allocator, acts } = await withEngine(t, own(), variables);
    const { port, warnings } = await allocator.reserveOrReallocatePort({ ...wish, reclaim });
    assert.equal(port, free);
    assert.match(warnings.join(), /web-1 .* was stopped and removed/);
    const path = `/containers/${"0f".repeat(32)}`;
    assert.deepEqual(acts, [`POST ${path}/stop?t=10`, `DELETE ${path}?force=true`]);
  }
  const { allocator, acts } = await withEngine(t, own(), { AUTO_KILL_PORT: "true" });
  assert.notEqual(await allocator.allocatePort("57"), free);
  const { port } = await allocator.reserveOrReallocatePort({ ...wish, reclaim: false });
  assert.notEqual(port, free);
  assert.deepEqual(acts, []);
});
