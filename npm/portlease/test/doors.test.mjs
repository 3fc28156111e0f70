// Both doors lead to the same things.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

import * as imported from "portlease";

test("what is required and what is imported is the same", () => {
  const required = createRequire(import.meta.url)("portlease");
  assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
  for (const [name, value] of Object.entries(required)) {
    assert.equal(imported[name], value, name);
  }
});
