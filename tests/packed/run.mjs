// Installs the packed packages into a fresh project and tests them there.
//
//   node tests/packed/run.mjs FOLDER     the folder with the archives that `cargo xtask npm` made
//
// The project gets what npm/portlease/package.json names under devDependencies, from the registry of npm. Its tests are those of
// npm/portlease/test, which thereby import the package as installed, and those beside this file, which look at the
// installation itself. Those of the plugins find the real dev servers in a folder beside the given one.

import { execFileSync, spawn } from "node:child_process";
import { cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { installDevServers } from "./dev-servers.mjs";
import { serve } from "./registry.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "..", "..", "npm", "portlease");
const folder = resolve(process.argv[2]);
const project = join(folder, "project");
/** Where cargo lets tests put what they need. */
const devServers = join(folder, "..", "tmp");
/** The tests of the plugins end the servers by their process groups. */
const hasGroups = process.platform !== "win32";

const archive = readdirSync(folder).find((name) => /^portlease-\d.*\.tgz$/.test(name));
const packed = JSON.parse(execFileSync("tar", ["-xzOf", archive, "package/package.json"], { cwd: folder }));

rmSync(project, { recursive: true, force: true });
cpSync(join(here, "project"), project, { recursive: true });
cpSync(join(source, "test"), join(project, "test"), { recursive: true });
await install();
if (hasGroups) {
  await installDevServers(devServers, run);
}
// Beside the project's pages, which ask for them.
cpSync(join(here, "..", "vectors"), join(project, "vectors"), { recursive: true });
process.env.VECTORS = join(project, "vectors");
process.env.DEV_SERVERS = devServers;
await run(process.execPath, [
  "--test",
  "--test-reporter=spec",
  "--test-reporter-destination=stdout",
  `--test-reporter=${new URL("tally.mjs", import.meta.url)}`,
  "--test-reporter-destination=stdout",
  ...tests(join(project, "test")),
  ...(hasGroups ? tests(join(project, "test", "dev-servers")) : []),
  ...tests(project),
]);

async function install() {
  const { devDependencies } = readJson(join(source, "package.json"));
  // The one builds the package, the other tests the dashboard; both are large.
  delete devDependencies.binaryen;
  delete devDependencies["axe-core"];
  const dependencies = { portlease: `file:../${archive}` };
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, dependencies, devDependencies }));
  const names = Object.keys(packed.optionalDependencies);
  const registry = await serve(names.map((name) => ({ name, version: packed.version, archive: archiveOf(name) })));
  writeFileSync(join(project, ".npmrc"), `@portlease:registry=${registry.url}\npackage-lock=false\n`);
  try {
    await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline"]);
  } finally {
    registry.close();
  }
}

/** The archive of a platform package, if it was made here. */
function archiveOf(name) {
  const file = `${name.replace("@", "").replace("/", "-")}-${packed.version}.tgz`;
  return readdirSync(folder).includes(file) ? join(folder, file) : undefined;
}

function tests(folder) {
  const files = readdirSync(folder).filter((name) => /\.test\.[cm]?js$/.test(name));
  return files.map((name) => join(folder, name));
}

function readJson(path) {
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Runs a command, and ends as it does when it fails. */
async function run(command, parameters, cwd = project) {
  const options = { cwd, stdio: "inherit", shell: process.platform === "win32" && command === "npm" };
  const code = await new Promise((resolve, reject) => {
    spawn(command, parameters, options).on("error", reject).on("close", resolve);
  });
  if (code !== 0) {
    process.exit(code ?? 1);
  }
}
