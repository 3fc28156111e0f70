// See index.mjs.
import { createRequire } from "node:module";

export const { withPortlease } = createRequire(import.meta.url)("../dist/next.cjs");
