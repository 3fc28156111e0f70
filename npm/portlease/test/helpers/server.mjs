// A server as people write them: it takes its port from the environment.

import { fork } from "node:child_process";
import { createServer } from "node:http";

const says = (message) => console.log(JSON.stringify(message));
const { PORT, PORTLEASE_RUN } = process.env;

switch (process.argv[2]) {
  case "serve": {
    const server = createServer((_, response) => response.end("served"));
    server.listen(Number(PORT), () => says({ port: server.address().port }));
    process.on("SIGTERM", () => process.exit());
    process.on("disconnect", () => process.exit());
    break;
  }
  case "parent":
    fork(import.meta.filename, ["serve"]);
    process.on("SIGTERM", () => process.exit());
    break;
  default:
    says({ port: PORT, run: PORTLEASE_RUN });
}
