// Plans that are made from a snapshot of this host and confirmed by it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";

import { plan } from "portlease/plan";

import { freePorts, open, stranger } from "./helpers/support.mjs";

const seat = (planned) => planned.planned.seats[0].port;

async function outdated(confirmation) {
  const error = await confirmation.then(
    () => assert.fail("the plan was confirmed"),
    (error) => error,
  );
  assert.equal(error.code, "PLAN_OUTDATED", error.stack);
  return error.details;
}

test("a plan is confirmed with a hold and a lease", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const planned = plan(await allocator.snapshot(), { projectId: "shop", basePort });
  const grants = await allocator.confirmPlan(planned);
  const grant = grants.get("web");
  assert.equal(grant.port, basePort);
  assert.equal(grant.lease.holder.pid, process.pid);
  await assert.rejects(once(createServer().listen(basePort), "listening"), { code: "EADDRINUSE" });
  assert.deepEqual((await allocator.list()).map(({ project, port }) => [project, port]), [["shop", basePort]]);
  await grant.release();
});

test("an old plan says what is wrong with it, and planning goes on from there", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const services = [
    { service: "web", basePort },
    { service: "api", basePort },
  ];
  const old = allocator.snapshotSync();
  await stranger(t, basePort);
  const blog = await allocator.reserve({ projectId: "blog", basePort: basePort + 1 });
  const answer = await outdated(allocator.confirmPlan(plan(old, { projectId: "shop", services })));
  assert.deepEqual(
    answer.wrong.map(({ service, port, verdict, by }) => [service, port, verdict, by?.project]),
    [
      ["web", basePort, "occupied", undefined],
      ["api", basePort + 1, "leased", "blog"],
    ],
  );
  assert.deepEqual((await allocator.list()).map(({ project }) => project), ["blog"]);
  const grants = await allocator.confirmPlan(plan(answer.snapshot, { projectId: "shop", services }));
  assert.deepEqual([...grants].map(({ port }) => port), [basePort + 2, basePort + 3]);
  await blog.release();
});

test("in place, from a snapshot as text", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const snapshot = JSON.stringify(allocator.snapshotSync());
  const planned = plan(snapshot, { projectId: "shop", basePort, skipPortCheck: true });
  const grants = allocator.confirmPlanSync(JSON.parse(JSON.stringify(planned)));
  assert.equal(grants.get("web").port, seat(planned));
  assert.throws(() => allocator.confirmPlanSync(planned), { code: "PLAN_OUTDATED" });
});

test("what no host can confirm", async (t) => {
  const allocator = await open(t);
  const elsewhere = plan({ host: "elsewhere" }, { projectId: "shop", framework: "vite" });
  await assert.rejects(allocator.confirmPlan(elsewhere), { code: "OTHER_HOST", message: /elsewhere/ });
  for (const nonsense of [undefined, null, 7, "plan", [], {}, { ...elsewhere, planned: { seats: 1 } }]) {
    await assert.rejects(allocator.confirmPlan(nonsense), { code: "INVALID_ARGUMENT" });
    assert.throws(() => allocator.confirmPlanSync(nonsense), { code: "INVALID_ARGUMENT" });
  }
});
