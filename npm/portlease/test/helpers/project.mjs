// Projects in which the package is installed together with platform packages that a test makes.

import { execFile, spawn } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/** The folder of the package that is tested. */
export const home = dirname(require.resolve("portlease/package.json"));

const { candidates } = require(join(home, "dist", "platform.cjs"));

/** The packages that may be the one for this machine. */
export const platforms = candidates();

/** A project with these files in its platform packages: the name of the package, then the name of the file, then its content. */
export function project(test, packages = {}) {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "portlease-")));
  test.after(() => rmSync(root, { recursive: true, force: true }));
  const modules = join(root, "node_modules");
  const copied = join(modules, "portlease");
  for (const name of ["package.json", "bin", "dist"]) {
    cpSync(join(home, name), join(copied, name), { recursive: true });
  }
  // The library of whoever develops the package lies beside the loader.
  rmSync(join(copied, "dist", "portlease.node"), { force: true });
  for (const [name, files] of Object.entries(packages)) {
    mkdirSync(join(modules, name), { recursive: true });
    writeFileSync(join(modules, name, "package.json"), JSON.stringify({ name, version: "0.0.0" }));
    for (const [file, content] of Object.entries(files)) {
      content(join(modules, name, file));
    }
  }
  return { root, bin: join(copied, "bin", "portlease.cjs") };
}

/** A file with this text. */
export const text = (content) => (path) => writeFileSync(path, content);

/** A file that is the same as another. */
export const copy = (from) => (path) => copyFileSync(from, path);

/** Node.js itself as a program. */
export const node = (path) =>
  process.platform === "win32" ? copyFileSync(process.execPath, path) : symlinkSync(process.execPath, path);

/** The name of the command line in a platform package. */
export const commandLine = process.platform === "win32" ? "portlease.exe" : "portlease";

/** Runs Node.js in a project until it ends. */
export function run({ root }, parameters) {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, parameters, { cwd: root }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr });
    });
    child.stdin.end();
  });
}

/** Starts Node.js in a project, and waits until it says that it is ready. */
export async function start({ root }, parameters) {
  const child = spawn(process.execPath, parameters, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  let stdout = "";
  const ended = new Promise((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, stdout }));
  });
  await new Promise((resolve, reject) => {
    child.stdout.on("data", (data) => {
      stdout += data;
      if (stdout.includes("ready")) {
        resolve();
      }
    });
    child.on("close", () => reject(new Error(`it ended before it was ready: ${stdout}`)));
  });
  return { child, ended };
}
