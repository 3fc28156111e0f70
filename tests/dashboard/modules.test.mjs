// The parts of the dashboard that need no page.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { bands } from "../../crates/portlease-server/dashboard/app/bands.js";
import { each, rangeText, readRange } from "../../crates/portlease-server/dashboard/app/ports.js";
import { messages } from "../../crates/portlease-server/dashboard/app/sse.js";
import { age } from "../../crates/portlease-server/dashboard/app/time.js";
import { outcome, owner } from "../../crates/portlease-server/dashboard/app/words.js";

describe("events of the service", () => {
  async function check(chunks, expected) {
    const stream = new ReadableStream({
      start(controller) {
        chunks.forEach((chunk) => controller.enqueue(chunk));
        controller.close();
      },
    });
    const found = [];
    for await (const message of messages(stream)) {
      found.push(message === undefined ? ":" : `${message.id} ${message.data}`);
    }
    assert.deepEqual(found, expected);
  }
  const bytes = (text) => new TextEncoder().encode(text);

  test("come with their ids", () => check([bytes("id: a-1\ndata: {}\n\nid: a-2\ndata: x\n\n")], ["a-1 {}", "a-2 x"]));
  test("come in pieces of any size", () => {
    const text = bytes("id: a-1\r\ndata: ä\r\n\r\n: still here\r\n\r\nid: a-2\r\ndata:y\r\n\r\n");
    return check([...text].map((byte) => Uint8Array.of(byte)), ["a-1 ä", ":", "a-2 y"]);
  });
  test("may have more than one line", () => check([bytes("data: a\ndata: b\n\n")], [" a\nb"]));
  test("are only whole ones", () => check([bytes("id: a-1\ndata: {}")], []));
  test("keep their id for the next one that has none", () => check([bytes("id: a-1\ndata: 1\n\ndata: 2\n\n")], ["a-1 1", "a-1 2"]));
});

describe("the bands of the map", () => {
  function check(ranges, ports, expected) {
    const named = Object.entries(ranges).map(([name, [first, last]]) => ({ name, first, last }));
    assert.deepEqual(bands(named, ports).map(({ first, last, names }) => `${first}-${last} ${names}`), expected);
  }

  test("are the ranges in order", () => check({ b: [4000, 4100], a: [3000, 3100] }, [], ["3000-3100 a", "4000-4100 b"]));
  test("are one for ranges that lie in each other", () => check({ a: [3000, 3100], b: [3000, 3010], c: [3050, 3060] }, [], ["3000-3100 a,b,c"]));
  test("are one for ranges that fit into a row together", () => check({ a: [8080, 8180], b: [8081, 8181] }, [], ["8080-8181 a,b"]));
  test("begin anew where a range begins", () => check({ a: [4173, 4273], b: [4200, 4300] }, [], ["4173-4199 a", "4200-4300 b,a"]));
  test("have the leases outside of all ranges by the hundred", () => check({ a: [4321, 4421] }, [4310, 4311, 4450, 9999, 1, 65_535], [
    "1-99 ",
    "4300-4320 ",
    "4321-4421 a",
    "4422-4499 ",
    "9900-9999 ",
    "65500-65535 ",
  ]));
  test("have of a wide range the hundreds with leases", () => check({ wide: [3000, 9999] }, [3000, 5555], ["3000-3099 wide", "5500-5599 wide"]));

  test("have each port once, whatever the ranges", () => {
    let seed = 1;
    const random = (below) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let turn = 0; turn < 300; turn += 1) {
      const ranges = Array.from({ length: random(8) }, () => {
        const first = 1 + random(900);
        return { name: "r", first, last: first + random(300) };
      });
      const ports = Array.from({ length: random(20) }, () => 1 + random(1200));
      const seen = bands(ranges, ports).flatMap(({ first, last }) => [...each([[first, last]])]);
      assert.equal(new Set(seen).size, seen.length, "a port is there twice");
      const wanted = [...ports, ...ranges.filter(({ first, last }) => last - first < 260).flatMap(({ first, last }) => [first, last])];
      assert.deepEqual(wanted.filter((port) => !seen.includes(port)), [], "a port is missing");
    }
  });
});

test("ranges are read as people type them", () => {
  assert.deepEqual(readRange(" 3000 – 3100"), [3000, 3100]);
  assert.deepEqual(readRange("3000"), [3000, 3000]);
  for (const text of ["", "next", "3100-3000", "0-10", "1-70000", "3000-"]) {
    assert.equal(readRange(text), undefined, text);
  }
  assert.equal(rangeText(...readRange("7-9")), "7–9");
});

test("times are said in their largest unit", () => {
  const ages = [-5000, 999, 59_999, 60_000, 3_599_999, 86_400_000].map((passed) => age(0, passed));
  assert.deepEqual(ages, ["0 s", "0 s", "59 s", "1 min", "59 min", "1 d"]);
});

test("owners and outcomes are said in words", () => {
  assert.equal(owner({ project: "/home/ada/shop", service: "web" }), "shop web");
  assert.equal(owner({ project: "C:\\ada\\shop\\", service: "web", instance: 2 }), "shop web (2)");
  const step = { service: "web", tier: "scan", ports: [3000, 3000] };
  assert.equal(outcome({ ...step, verdict: "leased", by: [{ kind: "service", project: "shop", service: "web" }] }), "leased to shop web");
  assert.equal(outcome({ ...step, verdict: "leased" }), "leased");
  const occupant = { kind: "occupant", name: "node", holder: { kind: "process", pid: 7 } };
  assert.equal(outcome({ ...step, verdict: "occupied", by: [occupant] }), "in use by node (pid 7)");
});
