// A real PostgreSQL for tests: a throw-away cluster in a folder of its own, which is reached by the socket in it and so from every
// network of this machine.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

const PASSWORD = "s3cret of the tests";

/** PostgreSQL refuses to run as root; this is the user that Debian's package makes. */
const asUser = process.getuid?.() === 0 ? ["setpriv", "--reuid=postgres", "--clear-groups"] : [];

/** The shell ends the server and removes its folder when its pipe ends, which it does as well when this process is killed. */
const JANITOR = `
"$@" >"$0/log" 2>&1 & pid=$!
cat >/dev/null
kill -QUIT $pid 2>/dev/null; wait $pid
rm -rf "$0"
`;

/** Starts a cluster; answers the URL of its database, and how to end it. */
export async function startCluster(t) {
  const [folder, programs] = [mkdtempSync(join(tmpdir(), "portlease-postgres-")), findPrograms()];
  const run = (name, ...parameters) => {
    const [command, ...rest] = [...asUser, join(programs, name), ...parameters];
    return execFileSync(command, rest, { cwd: folder, env: environment(), stdio: "pipe", encoding: "utf8" });
  };
  writeFileSync(join(folder, "password"), PASSWORD);
  if (asUser.length > 0) {
    execFileSync("chown", ["-R", "postgres", folder]);
  }
  const auth = ["--auth=scram-sha-256", "--pwfile", join(folder, "password")];
  run("initdb", "--username=postgres", ...auth, "--encoding=UTF8", "--locale=C", "--no-sync", "--pgdata", join(folder, "data"));
  const settings = ["listen_addresses=", `unix_socket_directories=${folder}`, "fsync=off"].flatMap((it) => ["-c", it]);
  const server = [...asUser, join(programs, "postgres"), "-D", join(folder, "data"), ...settings];
  const janitor = spawn("sh", ["-c", JANITOR, folder, ...server], {
    cwd: folder,
    env: environment(),
    stdio: ["pipe", "ignore", "inherit"],
  });
  const ended = once(janitor, "close");
  const stop = async () => {
    janitor.stdin.end();
    await ended;
  };
  t.after(stop);
  waitUntil("PostgreSQL starts", () => run("pg_isready", "-q", "-h", folder));
  const url = `postgres://postgres:${encodeURIComponent(PASSWORD)}@${encodeURIComponent(folder)}/postgres`;
  return { url, password: PASSWORD, stop };
}

/** Neither the settings of whoever runs the tests nor their language. */
function environment() {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("PG"));
  return { ...Object.fromEntries(own), LC_ALL: "C" };
}

/** Debian keeps the programs of each version in a folder of their own. */
function findPrograms() {
  const root = "/usr/lib/postgresql";
  const versions = existsSync(root) ? readdirSync(root).map((version) => join(root, version, "bin")) : [];
  const found = [...versions.sort().reverse(), ...process.env.PATH.split(delimiter)].find((it) => existsSync(join(it, "initdb")));
  if (found === undefined) {
    throw new Error("PostgreSQL is a program of the tests: on Debian `apt-get install postgresql`");
  }
  return found;
}

/** Tries until it does not fail. */
function waitUntil(what, attempt) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (Date.now() > deadline) {
        throw new Error(`not in time: ${what}`, { cause: error });
      }
    }
  }
}
