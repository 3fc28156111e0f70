// Times finding a port in a range, one call a sample, all contestants by turns in one process.
//
//   node reserve.mjs FIRST LAST SAMPLES
//
// Answers one line of JSON: for each contestant its samples in microseconds, and how many of its answers were ports of the range.

import { createServer } from "node:net";

import { PEERS, load } from "./contestants.mjs";

const [first, last, samples] = process.argv.slice(2).map(Number);
const range = { first, last };
const WARM_UP = 20;

const portlease = await load("portlease");
const contestants = [
  { name: "portlease", pick: portlease.pickSync, forget: portlease.forget },
  { name: "promise", ...portlease },
  { name: "floor", pick: (turn) => bind(first, turn), forget: () => {} },
];
for (const name of PEERS) {
  contestants.push({ name, ...(await load(name)) });
}
const times = Object.fromEntries(contestants.map(({ name }) => [name, []]));
const inRange = Object.fromEntries(contestants.map(({ name }) => [name, 0]));

for (let turn = 0; turn < WARM_UP + samples; turn += 1) {
  // Nobody is always the one after the same other.
  const order = [...contestants.slice(turn % contestants.length), ...contestants.slice(0, turn % contestants.length)];
  for (const { name, pick, forget } of order) {
    const start = process.hrtime.bigint();
    let port;
    try {
      port = pick(turn, range);
      if (port instanceof Promise) {
        port = await port;
      }
    } catch {
      // A refusal is an answer, too.
    }
    const took = Number(process.hrtime.bigint() - start) / 1_000;
    forget(turn);
    if (turn >= WARM_UP) {
      times[name].push(took);
      inRange[name] += port >= first && port <= last ? 1 : 0;
    }
  }
}
console.log(JSON.stringify({ times, inRange }));

/** What every package that looks at a single port by itself cannot leave out: listening on it once. */
function bind(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, () => server.close(() => resolve(port)));
  });
}
