// Times a whole process that does nothing but import a package, beside one that imports nothing, by turns.
//
//   node import.mjs SAMPLES
//
// Answers one line of JSON with the samples in milliseconds.

import { spawnSync } from "node:child_process";

import { PEERS } from "./contestants.mjs";

const samples = Number(process.argv[2]);
const esm = (name) => ["--input-type=module", "--eval", `import "${name}";`];
const programs = {
  floor: ["--input-type=module", "--eval", ""],
  portlease: esm("portlease"),
  ...Object.fromEntries(PEERS.map((name) => [name, esm(name)])),
};
const names = Object.keys(programs);
const times = Object.fromEntries(names.map((name) => [name, []]));
for (let turn = 0; turn < samples; turn += 1) {
  for (const name of [...names.slice(turn % names.length), ...names.slice(0, turn % names.length)]) {
    const start = process.hrtime.bigint();
    const { status, stderr } = spawnSync(process.execPath, programs[name], { stdio: ["ignore", "ignore", "pipe"] });
    times[name].push(Number(process.hrtime.bigint() - start) / 1_000_000);
    if (status !== 0) {
      throw new Error(`${name} cannot be imported: ${stderr}`);
    }
  }
}
console.log(JSON.stringify({ times }));
