// Asks before the library was fetched.

import { frameworks } from "/node_modules/portlease/dist/plan.mjs";

try {
  frameworks();
} catch ({ code, message }) {
  console.log(`${code}: ${message}`);
}
