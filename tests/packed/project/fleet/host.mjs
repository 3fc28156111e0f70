// A host of a fleet: its runner, and programs that listen where this one is told to. It says what happens, line by line.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../node_modules/portlease/bin/portlease.cjs", import.meta.url));
const runner = spawn(process.execPath, [bin, "runner", "--json", "--report-every", "1"], {
  stdio: ["ignore", "inherit", "inherit"],
});
runner.on("exit", (code) => process.exit(code ?? 1));
for await (const port of createInterface({ input: process.stdin })) {
  const server = createServer().listen(Number(port));
  await once(server, "listening");
  console.log(JSON.stringify({ type: "listens", port: Number(port) }));
}
runner.kill();
