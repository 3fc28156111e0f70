// The integration with the real Astro.

import assert from "node:assert/strict";
import { test } from "node:test";

import { stranger } from "../helpers/support.mjs";
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

function shop(t) {
  return project(t, "usual", {
    "src/pages/index.astro": "<h1>shop</h1>",
    "astro.config.mjs": 'import portlease from "portlease/astro"; export default { integrations: [portlease()] }',
  });
}

const astro = (made, ...words) => [bin(made, "astro", "astro.js"), ...words];

test("a server has a leased port, keeps it when it starts anew, and gives it back", deadline, async (t) => {
  const made = await shop(t);
  const server = start(t, made, astro(made, "dev"));
  const lease = await live(server);
  assertOwn(made, lease.port);
  await page(lease.port);
  await until("it watches its files", () => server.said.includes("watching for file changes"), server);

  touch(made, "astro.config.mjs");
  await until("it starts anew", () => /Restarting[\s\S]*Generated/.test(server.said), server);
  await page(lease.port);
  assert.equal((await live(server)).generation, lease.generation);

  await stop(server);
  await nothingLeased(made);
});

test("a port that the user wants is tried first, and a foreign program passed by", deadline, async (t) => {
  const made = await shop(t);
  const [first, last] = made.ports;
  const server = start(t, made, astro(made, "dev", "--port", String(last)));
  assert.equal((await live(server)).port, last);
  await stop(server);

  await stranger(t, first);
  await stranger(t, last);
  const other = start(t, made, astro(made, "dev", "--port", String(last)));
  const { port } = await live(other);
  assert.equal(port, first + 1);
  await page(port);
});

test("a build and a sync lease nothing, a preview has a port", deadline, async (t) => {
  const made = await shop(t);
  assert.equal((await run(t, made, astro(made, "build"))).code, 0);
  assert.equal((await run(t, made, astro(made, "sync"))).code, 0);
  await nothingGranted(made);

  const preview = start(t, made, astro(made, "preview"));
  const { port } = await live(preview, "preview");
  assertOwn(made, port);
  await page(port);
  await stop(preview);
  await nothingLeased(made);
});

test("inside `portlease run` there is one lease, and the server is on its port", deadline, async (t) => {
  const made = await shop(t);
  const outer = startInRun(t, made, astro(made, "dev"));
  const { port } = await liveWithin(outer);
  assertOwn(made, port);
  await page(port);
  assert.equal((await made.allocator.stats()).counters.grants, 1);
});
