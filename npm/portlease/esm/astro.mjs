// See index.mjs.
import { createRequire } from "node:module";

export const { portlease } = createRequire(import.meta.url)("../dist/astro.cjs");
export default portlease;
