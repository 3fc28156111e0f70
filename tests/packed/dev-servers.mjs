// The dev servers that the tests of the plugins start: those of the tests of the command line, in the folder in which these install them,
// once for all runs that want the same.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const wanted = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "crates", "portlease-cli", "tests", "dev-servers");

/** Installs what is missing, by a function that runs a command in a folder. */
export async function installDevServers(folder, run) {
  for (const name of ["usual", "tanstack", "others"]) {
    const home = join(folder, `dev-servers-${name}`);
    const packages = readFileSync(join(wanted, `${name}.json`), "utf8");
    const done = join(home, "installed.json");
    if (existsSync(done) && readFileSync(done, "utf8") === packages) {
      continue;
    }
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, "package.json"), packages);
    await run("npm", ["install", "--no-package-lock", "--no-audit", "--no-fund", "--prefer-offline"], home);
    // By this file Next finds the root, and there the packages.
    writeFileSync(join(home, "package-lock.json"), '{"lockfileVersion": 3}');
    writeFileSync(done, packages);
  }
}
