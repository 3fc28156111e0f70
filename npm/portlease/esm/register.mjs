// See index.mjs.
import { createRequire } from "node:module";

createRequire(import.meta.url)("../dist/register.cjs");
