// One of many processes that look for a port at the same time, wait a while as a dev server does before it listens, and listen.
//
//   node contender.mjs NAME FIRST LAST DELAY_MS
//
// Says `ready`, begins when a line comes, and then says the port, or why it could not listen.

import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout } from "node:timers/promises";

import { load } from "./contestants.mjs";

const [name, ...numbers] = process.argv.slice(2);
const [first, last, delay] = numbers.map(Number);
const contestant = await load(name);
console.log("ready");
await once(process.stdin, "data");
const port = await contestant.pick(0, { first, last });
await setTimeout(delay);
const server = createServer().listen(port);
await once(server, "listening").then(
  () => console.log(port),
  (error) => console.log(error.code),
);
// Nobody lets go before everybody has tried.
await once(process.stdin, "end");
server.close();
contestant.forget(0);
