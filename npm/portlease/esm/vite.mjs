// See index.mjs.
import { createRequire } from "node:module";

export const { portlease } = createRequire(import.meta.url)("../dist/vite.cjs");
export default portlease;
