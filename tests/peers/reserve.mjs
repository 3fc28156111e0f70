// Times finding a port in a range, one call a sample, all contestants by turns in one process: each calls some times in a row, as
// it would where it is the only one.
//
//   node reserve.mjs FIRST LAST SAMPLES
//
// Answers one line of JSON: for each contestant its samples in microseconds, and how many of its answers were ports of the range.

import { createServer } from "node:net";

import { PEERS, load } from "./contestants.mjs";

const [first, last, samples] = process.argv.slice(2).map(Number);
const range = { first, last };
const ROUNDS = 10;
const WARM_UP = 10;

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

for (let round = 0; round < ROUNDS; round += 1) {
  // Nobody is always the one after the same other.
  const start = round % contestants.length;
  for (const contestant of [...contestants.slice(start), ...contestants.slice(0, start)]) {
    await measure(contestant, round);
  }
}
console.log(JSON.stringify({ times, inRange }));

async function measure({ name, pick, forget }, round) {
  const each = samples / ROUNDS;
  for (let call = 0; call < WARM_UP + each; call += 1) {
    const turn = round * (WARM_UP + each) + call;
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
    if (call >= WARM_UP) {
      times[name].push(took);
      inRange[name] += port >= first && port <= last ? 1 : 0;
    }
  }
}

/** What every package that looks at a single port by itself cannot leave out: listening on it once. */
function bind(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen(port, () => server.close(() => resolve(port)));
  });
}
