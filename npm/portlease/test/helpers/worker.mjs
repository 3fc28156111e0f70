// Asks for ports on a thread of its own, by the functions and so by the registry of its environment.

import { parentPort, workerData } from "node:worker_threads";

import { reserveOrReallocatePort, reserveOrReallocatePortSync } from "portlease";

const { port } = await reserveOrReallocatePort(workerData);
const again = reserveOrReallocatePortSync(workerData);
parentPort.postMessage([port, again.port]);
