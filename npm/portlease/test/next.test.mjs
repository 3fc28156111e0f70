// What `withPortlease` does to a configuration where there is no server, or none of Next's own.

import assert from "node:assert/strict";
import { test } from "node:test";

import { withPortlease } from "portlease/next";

import { folder, open, registry } from "./helpers/support.mjs";

const BUILD = "phase-production-build";
const DEVELOPMENT = "phase-development-server";
const context = { defaultConfig: { compress: true } };

for (const [kind, configuration] of Object.entries({
  "an object": { reactStrictMode: true, compress: true },
  "a function": (_, { defaultConfig }) => ({ ...defaultConfig, reactStrictMode: true }),
  "a function that takes its time": async (_, { defaultConfig }) => ({ ...defaultConfig, reactStrictMode: true }),
})) {
  test(`a configuration that is ${kind} stays what it is`, async () => {
    process.env.PORTLEASE_REGISTRY = registry();
    for (const phase of [BUILD, DEVELOPMENT]) {
      const config = await withPortlease(configuration, { urls: { api: "API_URL" } })(phase, context);
      assert.deepEqual(config, { reactStrictMode: true, compress: true });
    }
  });
}

test("a function is told the phase", async () => {
  const config = await withPortlease((phase) => ({ phase }))(BUILD, context);
  assert.deepEqual(config, { phase: BUILD });
});

test("pages have the URLs of other services, unless somebody said other ones, and builds have none", async (t) => {
  const url = registry();
  process.env.PORTLEASE_REGISTRY = url;
  const allocator = await open(t, url);
  const projectId = folder();
  const [api, docs] = await Promise.all(["api", "docs"].map((service) => allocator.reserve({ projectId, service })));
  process.env.AUTH_URL = "https://auth.example";
  t.after(() => delete process.env.AUTH_URL);
  await allocator.reserve({ projectId, service: "auth" });

  const urls = { api: "API_URL", docs: "DOCS_URL", auth: "AUTH_URL", nobody: "NOBODY_URL" };
  const configured = withPortlease({ env: { DOCS_URL: "/docs", OTHER: "1" } }, { projectId, urls });
  assert.deepEqual(await configured(DEVELOPMENT, context), { env: { API_URL: api.url, DOCS_URL: "/docs", OTHER: "1" } });
  assert.deepEqual(await configured(BUILD, context), { env: { DOCS_URL: "/docs", OTHER: "1" } });
  assert.notEqual(docs.url, api.url);
});

test("a registry that cannot be used is a warning, told once", async (t) => {
  process.env.PORTLEASE_REGISTRY = `sqlite:${import.meta.filename}/registry.db`;
  const warn = t.mock.method(console, "warn", () => {});
  const configured = withPortlease({ compress: false });
  assert.deepEqual(await configured(DEVELOPMENT, context), { compress: false });
  assert.deepEqual(await configured(DEVELOPMENT, context), { compress: false });
  assert.equal(warn.mock.callCount(), 1);
  assert.match(warn.mock.calls[0].arguments[0], /^portlease: /);
});
