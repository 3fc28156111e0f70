// Whatever is given to whatever function: an error with a code, or what was asked for. Never a crash, and never another port.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as portlease from "portlease";

import { freePorts, open, refused, registry } from "./helpers/support.mjs";

process.env.PORTLEASE_REGISTRY = registry();

const cyclic = { projectId: "shop" };
cyclic.itself = cyclic;
const deep = { projectId: "shop", preferred: [[[[[[[[[[1]]]]]]]]]] };
const throwing = {
  get projectId() {
    throw new Error("not today");
  },
};
const unshowable = {
  get projectId() {
    throw Object.create(null);
  },
};
const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();
const endless = {
  *[Symbol.iterator]() {
    for (;;) {
      yield 4000;
    }
  },
};
const throwingIterator = {
  [Symbol.iterator]() {
    throw new Error("no list");
  },
};
const huge = "x".repeat(1 << 20);

/** What is nothing that anybody could have meant, by what it is. */
const STRANGE = {
  "NaN": NaN,
  "Infinity": Infinity,
  "-1": -1,
  "0": 0,
  "70000": 70_000,
  "3000.5": 3000.5,
  "2 ** 64": 2 ** 64,
  "abc": "abc",
  "an empty string": "",
  "a blank": " ",
  "a control character": "a\u0000b",
  "half a character": "\ud800",
  "a huge string": huge,
  "true": true,
  "null": null,
  "{}": {},
  "[]": [],
  "a list": ["a", undefined, null],
  "a bigint": 3000n,
  "a symbol": Symbol("port"),
  "a function": () => 3000,
  "a circle": cyclic,
  "deep": deep,
  "a throwing getter": throwing,
  "a getter that throws what cannot be shown": unshowable,
  "a revoked proxy": revoked,
  "an endless list": endless,
  "a list that throws": throwingIterator,
  "a date": new Date(0),
  "a map": new Map([["projectId", "shop"]]),
  "a buffer": Buffer.from("shop"),
  "a promise": Promise.resolve(3000),
  "an unknown key": { projectID: "shop" },
  "__proto__": JSON.parse('{"__proto__": {"port": 1}}'),
};

async function outcome(work) {
  try {
    return { answer: await work() };
  } catch (error) {
    assert.ok(error instanceof portlease.PortleaseError, `${error?.stack ?? error}`);
    assert.match(error.code, /^[A-Z_]+$/);
    assert.notEqual(error.code, "INTERNAL", error.message);
    assert.ok(error.message.length > 10 && error.message.length < 1_000, `${error.message.length} letters`);
    assert.equal(typeof error.details, "object");
    assert.ok(JSON.stringify(error.details).length < 20_000);
    return { code: error.code };
  }
}

/** Both forms refuse each strange value, apart from those that are fine here, and neither throws where it promises. */
function everyStrangeValue(name, call, fine = []) {
  for (const form of [name, `${name}Sync`]) {
    test(`${form} and strange values`, async () => {
      for (const [what, value] of Object.entries(STRANGE)) {
        let returned;
        const work = async () => {
          returned = call(portlease[form], value);
          return returned;
        };
        const { answer, code } = await outcome(work);
        if (form === name) {
          assert.ok(returned instanceof Promise, `${what} is thrown, and not by the promise`);
        }
        if (!fine.includes(what)) {
          assert.ok(code !== undefined, `${what} is answered with ${JSON.stringify(answer)}`);
        }
      }
    });
  }
}

/** Which strange values are names, as good as any other. */
const NAMES = ["abc", "half a character"];
/** And which are numbers of days. */
const DAYS = ["0", "70000", "3000.5"];

everyStrangeValue("reserveOrReallocatePort", (reserve, value) => reserve(value), ["{}"]);
everyStrangeValue("reserveOrReallocatePort", (reserve, value) => reserve({ projectId: "shop", port: value }));
everyStrangeValue("reserveOrReallocatePort", (reserve, value) => reserve({ projectId: "shop", basePort: value }));
everyStrangeValue("reserveOrReallocatePort", (reserve, value) => reserve({ projectId: value }), NAMES);
everyStrangeValue("reserveOrReallocatePort", (reserve, value) => reserve({ projectId: "shop", framework: value }));
everyStrangeValue("reserveOrReallocatePort", (reserve, value) => reserve({ projectId: "shop", preferred: value }), ["[]", "a buffer"]);
everyStrangeValue("reserveOrReallocatePort", (reserve, value) => reserve({ projectId: "shop", preferred: [value] }));
everyStrangeValue("reserveOrReallocatePort", (reserve, value) => reserve({ projectId: "shop", exclude: value }), ["[]", "a buffer"]);
everyStrangeValue("reserveOrReallocatePort", (reserve, value) => reserve({ projectId: "shop", hold: value }), ["true"]);
everyStrangeValue("reserveOrReallocatePort", (reserve, value) => reserve({ projectId: "shop", holder: value }));
everyStrangeValue("reserveOrReallocatePort", (reserve, value) => reserve({ projectId: "shop", envVar: value }), [...NAMES, "a blank", "an empty string", "a control character", "a huge string"]);
everyStrangeValue("reserveOrReallocatePort", (reserve, value) => reserve({ projectId: "shop", strategy: value }));
everyStrangeValue("reserveOrReallocatePort", (reserve, value) => reserve({ cwd: value }));
everyStrangeValue("isPortAvailable", (isAvailable, value) => isAvailable(value));
everyStrangeValue("isPortAvailable", (isAvailable, value) => isAvailable(3000, value));
everyStrangeValue("findAvailablePortInRange", (find, value) => find(value));
everyStrangeValue("findAvailablePortInRange", (find, value) => find("vite", value));
everyStrangeValue("getPortForProject", (get, value) => get(value), NAMES);
everyStrangeValue("reservePortForProject", (reserve, value) => reserve("shop", value));
everyStrangeValue("reservePortForProject", (reserve, value) => reserve(value, 0));
everyStrangeValue("releasePortForProject", (release, value) => release(value), NAMES);
everyStrangeValue("allocatePort", (allocate, value) => allocate({ basePort: value, serviceName: "main" }));
everyStrangeValue("allocatePort", (allocate, value) => allocate({ basePort: 20_000, serviceName: value }), NAMES);
everyStrangeValue("allocateMultiplePorts", (allocate, value) => allocate(value));
everyStrangeValue("allocateMultiplePorts", (allocate, value) => allocate([value]), ["{}"]);
everyStrangeValue("allocateMultiplePorts", (allocate, value) => allocate([{ service: "web" }], value), ["{}"]);
everyStrangeValue("getPortFromEnvOrAllocate", (get, value) => get("SOME_PORT", value, "main"));
everyStrangeValue("getPortFromEnvOrAllocate", (get, value) => get(value, 70_000, "main"));
everyStrangeValue("getPortFromEnvOrAllocate", (get, value) => get("SOME_PORT", 20_000, value), NAMES);
everyStrangeValue("cleanupAbandonedPorts", (cleanup, value) => cleanup(value), DAYS);

test("no strange value got anybody a port outside what was asked for", async () => {
  const allocator = await portlease.Allocator.open();
  for (const lease of await allocator.list()) {
    assert.ok(lease.port >= lease.range[0] && lease.port <= lease.range[1], JSON.stringify(lease));
  }
});

const METHODS = {
  reserve: (allocator, value) => allocator.reserve(value),
  reserveAll: (allocator, value) => allocator.reserveAll(value),
  "reserveAll with services": (allocator, value) => allocator.reserveAll({ projectId: "shop", services: value }),
  explain: (allocator, value) => allocator.explain(value),
  confirm: (allocator, value) => allocator.confirm(value),
  "confirm with a server": (allocator, value) =>
    allocator.confirm({ project: "shop", service: "web", generation: 1 }, value),
  release: (allocator, value) => allocator.release(value),
  list: (allocator, value) => allocator.list(value),
  who: (allocator, value) => allocator.who(value),
  validate: (allocator, value) => allocator.validate(value),
  cleanup: (allocator, value) => allocator.cleanup(value),
  stats: (allocator, value) => allocator.stats(value),
  health: (allocator, value) => allocator.health(value),
};

for (const [name, call] of Object.entries(METHODS)) {
  test(`Allocator.${name} and strange values`, async (t) => {
    const allocator = await open(t, "memory:");
    for (const [what, value] of Object.entries(STRANGE)) {
      const { answer, code } = await outcome(async () => call(allocator, value));
      if (what !== "{}") {
        assert.ok(code !== undefined, `${what} is answered with ${JSON.stringify(answer)}`);
      }
    }
  });
}

test("Allocator.open and strange values", async () => {
  for (const [what, value] of Object.entries(STRANGE)) {
    const whole = await outcome(async () => portlease.Allocator.open(value));
    const part = await outcome(async () => portlease.Allocator.openSync({ registry: value }));
    assert.ok(what === "{}" || whole.code !== undefined, what);
    assert.ok(part.code !== undefined, what);
  }
  await refused(() => portlease.Allocator.open({ registry: "mysql:host" }), "INVALID_REGISTRY");
  await refused(() => portlease.Allocator.open({ registy: "memory:" }), "INVALID_ARGUMENT", ({ details }) => {
    assert.equal(details.nearest, "registry");
  });
});

test("a grant and strange values", async (t) => {
  const [allocator, basePort] = [await open(t), await freePorts()];
  const grant = await allocator.reserve({ projectId: "shop", basePort });
  t.after(() => grant.release());
  for (const [what, value] of Object.entries(STRANGE)) {
    if (what !== "{}") {
      const { code } = await outcome(() => grant.confirmWhenListening(value));
      assert.ok(code !== undefined, what);
    }
    // Times that somebody may wait for are none of this.
    const isTime = typeof value === "number" && value >= 0 && value !== Infinity;
    for (const waiting of [{ pid: value }, { signal: value }, ...(isTime ? [] : [{ timeout: value }])]) {
      const some = await outcome(() => grant.confirmWhenListening({ timeout: 1, ...waiting }));
      assert.ok(some.code !== undefined, `${what} in ${Object.keys(waiting)}`);
    }
    const listening = await outcome(() => grant.confirm({ port: value }));
    assert.ok(listening.code !== undefined, what);
  }
  assert.equal(grant.lease.state, "reserved");
});

test("nothing at all", async () => {
  await refused(() => portlease.isPortAvailable(), "INVALID_PORT");
  await refused(() => portlease.findAvailablePortInRange(), "INVALID_ARGUMENT");
  await refused(() => portlease.getPortForProject(), "INVALID_ARGUMENT");
  await refused(() => portlease.reservePortForProject(), "INVALID_ARGUMENT");
  await refused(() => portlease.reservePortForProject("shop"), "INVALID_PORT");
  await refused(() => portlease.releasePortForProject(), "INVALID_ARGUMENT");
  await refused(() => portlease.allocateMultiplePorts(), "INVALID_ARGUMENT");
  await refused(() => portlease.allocateMultiplePorts([]), "NO_SERVICES");
  await refused(() => portlease.getPortFromEnvOrAllocate(), "INVALID_ARGUMENT");
  await refused(() => portlease.getPortFromEnvOrAllocate("SOME_PORT"), "INVALID_PORT");
});

test("the error says where, what, and what was probably meant", async () => {
  const check = (wish, code, expected, part) =>
    refused(() => portlease.reserveOrReallocatePort(wish), code, ({ message, details }) => {
      assert.deepEqual({ ...details }, expected);
      assert.ok(message.includes(part), message);
    });
  await check({ projectID: "shop" }, "INVALID_ARGUMENT",
    { path: "projectID", value: "shop", nearest: "projectId" }, 'Did you mean "projectId"?');
  await check({ projectId: "shop", framework: "nexxt" }, "INVALID_ARGUMENT",
    { path: "framework", value: "nexxt", nearest: "next" }, "nexxt");
  await check({ projectId: "shop", preferred: [4000, "x"] }, "INVALID_PORT", { value: "x" }, "whole number from 1 to 65535");
  await check({ projectId: "shop", basePort: 4010, maxPort: 4000 }, "INVALID_RANGE", { value: "4010-4000" }, "4010-4000");
  await check({ projectId: "shop", conflicts: ["a", 5] }, "INVALID_ARGUMENT",
    { path: "conflicts[1]", value: 5, nearest: null }, "conflicts[1]: Here belongs a text, not 5.");
  await check({ projectId: "shop", services: [{}] }, "INVALID_ARGUMENT",
    { path: "services", value: "a list", nearest: null }, "allocateMultiplePorts");
  await check({ projectId: "shop", preset: "none" }, "UNKNOWN_PRESET",
    { profile: "development", kind: "none", known: ["webServer", "apiServer", "viteHmr", "container"] }, "webServer");
});

test("an error is an error as any other", async () => {
  const error = await portlease.isPortAvailable(0).catch((error) => error);
  assert.equal(error.name, "PortleaseError");
  assert.ok(error instanceof Error && error.stack.includes("mistakes.test"), error.stack);
  assert.deepEqual(Object.keys(error), ["code", "details"]);
  assert.ok(portlease.isPortleaseError(error));
  assert.ok(portlease.isPortleaseError(error, "INVALID_PORT"));
  assert.ok(!portlease.isPortleaseError(error, "INVALID_RANGE"));
  assert.ok(!portlease.isPortleaseError(new Error("INVALID_PORT")));
  assert.ok(!portlease.isPortleaseError(undefined));
});
