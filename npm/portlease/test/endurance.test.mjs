// Ten thousand times the same, without anything that grows.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { freePorts, open } from "./helpers/support.mjs";

const CYCLES = 10_000;
/** How much the process may grow, in bytes. What leaks, leaks hundreds of bytes each time. */
const ROOM = 24 * 1024 * 1024;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

function descriptors() {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}

async function check(cycle) {
  // The first ones fill caches.
  await repeat(cycle, CYCLES / 10);
  const before = { descriptors: descriptors(), memory: process.memoryUsage().rss };
  await repeat(cycle, CYCLES);
  const grown = process.memoryUsage().rss - before.memory;
  assert.ok(descriptors() <= before.descriptors + 2, `${before.descriptors} descriptors became ${descriptors()}`);
  assert.ok(grown < ROOM, `it grew by ${grown} bytes`);
}

async function repeat(cycle, times) {
  for (let index = 0; index < times; index += 1) {
    await cycle(index);
    if (index % 100 === 0) {
      // Node drops native objects between two turns of its event loop.
      await turn();
    }
  }
  collectGarbage();
  await turn();
}

test("10,000 times reserve and release, held", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  await check(async () => {
    const grant = allocator.reserveSync({ projectId: "shop", basePort });
    grant.releaseSync();
  });
  assert.deepEqual(await allocator.list(), []);
});

test("10,000 times reserve and release, as promises", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  await check(async (index) => {
    const projectId = `project ${index % 10}`;
    await allocator.reserveOrReallocatePort({ projectId, basePort });
    await allocator.releasePortForProject(projectId);
  });
  assert.deepEqual(await allocator.list(), []);
});

test("10,000 times an error", async (t) => {
  const allocator = await open(t);
  await check(async () => {
    assert.throws(() => allocator.reserveOrReallocatePortSync({ projectId: "shop", port: 70_000 }));
  });
});
