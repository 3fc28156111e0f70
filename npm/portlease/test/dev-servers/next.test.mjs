// The ways in which the real Next gets a leased port, and what its configuration says about that.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  assertOwn,
  bin,
  deadline,
  live,
  liveWithin,
  nothingGranted,
  nothingLeased,
  page,
  project,
  run,
  start,
  startInRun,
  stop,
  touch,
  until,
} from "./support.mjs";

function shop(t, files = {}) {
  return project(t, "usual", {
    "app/layout.jsx": "export default ({ children }) => <html><body>{children}</body></html>",
    "app/page.jsx": "export default () => <h1>shop {process.env.NEXT_PUBLIC_API_URL}</h1>",
    "next.config.mjs": `import { withPortlease } from "portlease/next";
      export default withPortlease({}, { urls: { api: "NEXT_PUBLIC_API_URL" } });`,
    ...files,
  });
}

const next = (made, ...words) => [bin(made, "next", "dist/bin/next"), ...words];
const registered = ["--import", "portlease/register"];
const WARNING = /portlease: `next (dev|start)` took port \d+, which nobody leased for it/g;

test("with portlease/register it is on its leased port, also after it started anew, and knows the others'", deadline, async (t) => {
  const made = await shop(t);
  const grant = await made.allocator.reserve({ cwd: made.folder, service: "api" });
  const server = start(t, made, [...registered, ...next(made, "dev")]);
  const lease = await live(server);
  assertOwn(made, lease.port);
  await page(lease.port, grant.url, server);

  touch(made, "next.config.mjs");
  await until("it starts anew", () => server.said.split("Ready in").length > 2, server);
  await page(lease.port, grant.url, server);
  assert.equal((await live(server)).generation, lease.generation);
  assert.doesNotMatch(server.said, WARNING);

  await stop(server);
  assert.deepEqual((await made.allocator.list()).map(({ service }) => service), ["api"]);
});

test("without a lease it says how to get one, and leases nothing", deadline, async (t) => {
  const made = await shop(t);
  const server = start(t, made, next(made, "dev", "-p", String(made.ports[1])));
  await page(made.ports[1], "shop", server);
  assert.equal(server.said.match(WARNING)?.length, 1, server.said);
  assert.match(server.said, /`portlease run -- next dev` into the scripts of package\.json/);
  await nothingGranted(made);
});

test("a port that was leased for it before is confirmed", deadline, async (t) => {
  const made = await shop(t);
  const { port } = await made.allocator.reserveOrReallocatePort({ cwd: made.folder, holder: "nobody" });
  const server = start(t, made, next(made, "dev", "-p", String(port)));
  const lease = await liveWithin(server);
  assert.equal(lease.port, port);
  assert.notEqual(lease.listener.pid, server.child.pid);
  assert.doesNotMatch(server.said, WARNING);
});

test("inside `portlease run` there is one lease, and no warning", deadline, async (t) => {
  const made = await shop(t);
  const outer = startInRun(t, made, next(made, "dev"));
  const { port } = await liveWithin(outer);
  assertOwn(made, port);
  await page(port, "shop", outer);
  assert.doesNotMatch(outer.said, WARNING);
  assert.equal((await made.allocator.stats()).counters.grants, 1);
});

test("a build leases nothing, and what was built is served on a leased port", deadline, async (t) => {
  const made = await shop(t);
  const { code, said } = await run(t, made, next(made, "build"));
  assert.equal(code, 0, said);
  await nothingGranted(made);

  const server = start(t, made, [...registered, ...next(made, "start")]);
  const { port } = await live(server);
  await page(port, "shop", server);
  assert.doesNotMatch(server.said, WARNING);
  await stop(server);
  await nothingLeased(made);
});
