// The plugin for Vite in what is built on Vite.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  assertOwn,
  bin,
  deadline,
  live,
  nothingLeased,
  page,
  project,
  start,
  stop,
  touch,
  until,
} from "./support.mjs";

/** Serves a page on the leased port, and again after it started anew. */
async function check(t, made) {
  const server = start(t, made, [bin(made, "vite", "bin/vite.js"), "dev"]);
  const lease = await live(server);
  assertOwn(made, lease.port);
  await page(lease.port, "shop", server);
  touch(made, "vite.config.mjs");
  await until("it starts anew", () => server.said.includes("server restarted"), server);
  await page(lease.port, "shop", server);
  assert.equal((await live(server)).generation, lease.generation);
  await stop(server);
  await nothingLeased(made);
}

test("TanStack Start", deadline, async (t) => {
  const made = await project(t, "tanstack", {
    "vite.config.mjs": `import portlease from "portlease/vite";
      import { tanstackStart } from "@tanstack/react-start/plugin/vite";
      import react from "@vitejs/plugin-react";
      export default { plugins: [portlease(), tanstackStart({ customViteReactPlugin: true }), react()] };`,
    "src/router.jsx": `import { createRouter as create } from "@tanstack/react-router";
      import { routeTree } from "./routeTree.gen";
      export const createRouter = () => create({ routeTree });`,
    "src/routes/__root.jsx": `import { createRootRoute, HeadContent, Outlet, Scripts } from "@tanstack/react-router";
      const Shell = () => <html><head><HeadContent /></head><body><Outlet /><Scripts /></body></html>;
      export const Route = createRootRoute({ component: Shell });`,
    "src/routes/index.jsx": `import { createFileRoute } from "@tanstack/react-router";
      export const Route = createFileRoute("/")({ component: () => <h1>shop</h1> });`,
  });
  await check(t, made);
});

test("SvelteKit", deadline, async (t) => {
  const made = await project(t, "others", {
    "package.json": '{"name": "shop", "private": true, "type": "module"}',
    "vite.config.mjs": `import portlease from "portlease/vite";
      import { sveltekit } from "@sveltejs/kit/vite";
      export default { plugins: [sveltekit(), portlease()] };`,
    "svelte.config.js": "export default {}",
    "src/app.html": "<html><head>%sveltekit.head%</head><body>%sveltekit.body%</body></html>",
    "src/routes/+page.svelte": "<h1>shop</h1>",
  });
  await check(t, made);
});
