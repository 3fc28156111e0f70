// The types of the plugins are those that the real tools ask for.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";

import { deadline, project, run } from "./support.mjs";

const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
const compiler = join(dirname(manifest), "bin", "tsc");
const options = {
  target: "es2022",
  lib: ["es2023", "dom", "esnext.disposable"],
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  // The tools' own types do not stand up to it.
  skipLibCheck: true,
  noEmit: true,
};

const VITE = {
  "vite.mts": `import { defineConfig, type Plugin } from "vite";
    import portlease from "portlease/vite";
    export const plugin: Plugin = portlease({ service: "admin" });
    export default defineConfig({ plugins: [portlease()] });`,
};
const OTHERS = {
  "next.mts": `import type { NextConfig } from "next";
    import { withPortlease } from "portlease/next";
    const config: NextConfig = { reactStrictMode: true };
    export default withPortlease(config);
    export const literal = withPortlease({ reactStrictMode: true });
    export const late = withPortlease(async (phase: string): Promise<NextConfig> => ({ distDir: phase }));`,
  "astro.mts": `import type { AstroIntegration } from "astro";
    import { defineConfig } from "astro/config";
    import portlease from "portlease/astro";
    export const integration: AstroIntegration = portlease({ service: "admin" });
    export default defineConfig({ integrations: [portlease()] });`,
};

for (const [servers, sources] of Object.entries({ usual: { ...VITE, ...OTHERS }, tanstack: VITE })) {
  for (const [module, moduleResolution] of [["node16", "node16"], ["preserve", "bundler"]]) {
    test(`${servers}, with ${moduleResolution} resolution`, deadline, async (t) => {
      const files = Object.keys(sources);
      const made = await project(t, servers, {
        ...sources,
        "tsconfig.json": JSON.stringify({ compilerOptions: { ...options, module, moduleResolution }, files }),
      });
      const { code, said } = await run(t, made, [compiler, "--project", "."]);
      assert.equal(code, 0, said);
    });
  }
}
