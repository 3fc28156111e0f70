// `portlease` as npm installs it. The program behind it is Node.js here, because that does what it is told.

import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { commandLine, node, platforms, project, run, start, text } from "./helpers/project.mjs";

const deadline = { timeout: 60_000 };

/** What is true of a Node.js that can replace itself by a program must be true of one that cannot. */
const ways = {
  "": () => [],
  ", where Node.js cannot replace itself": (root) => {
    const preload = join(root, "older.cjs");
    writeFileSync(preload, "delete process.execve;");
    return ["--require", preload];
  },
};

for (const [way, flags] of Object.entries(ways)) {
  const installed = (t) => {
    const made = project(t, { [platforms[0]]: { [commandLine]: node } });
    return { ...made, command: (...parameters) => [...flags(made.root), made.bin, ...parameters] };
  };

  test(`arguments arrive as they were given${way}`, deadline, async (t) => {
    const made = installed(t);
    const parameters = ["--", "run", "a b", "", '"quoted"', "$HOME", "--port=1", "ü*"];
    const said = await run(made, made.command("-p", "JSON.stringify(process.argv.slice(1))", ...parameters));
    assert.deepEqual(JSON.parse(said.stdout), parameters.slice(1));
  });

  test(`the exit code is the program's${way}`, deadline, async (t) => {
    const made = installed(t);
    for (const code of [0, 3, 130]) {
      const said = await run(made, made.command("-e", `process.exit(${code})`));
      assert.deepEqual(said, { code, signal: null, stdout: "", stderr: "" });
    }
  });

  if (process.platform !== "win32") {
    test(`a signal that ends the program ends the command${way}`, deadline, async (t) => {
      const made = installed(t);
      for (const signal of ["SIGKILL", "SIGTERM", "SIGINT"]) {
        const said = await run(made, made.command("-e", `process.kill(process.pid, "${signal}"); setInterval(() => {}, 1000)`));
        assert.deepEqual([said.code, said.signal], [null, signal]);
      }
    });

    test(`a signal is passed on once, and the program decides${way}`, deadline, async (t) => {
      const made = installed(t);
      for (const signal of ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR2"]) {
        const program = `let count = 0;
          process.on("${signal}", () => { count += 1; setTimeout(() => { console.log(count); process.exit(7) }, 100) });
          setInterval(() => {}, 1000); console.log("ready");`;
        const { child, ended } = await start(made, made.command("-e", program));
        child.kill(signal);
        assert.deepEqual(await ended, { code: 7, signal: null, stdout: "ready\n1\n" }, signal);
      }
    });

    test(`a program that may not be started is told${way}`, deadline, async (t) => {
      const made = project(t, {
        [platforms[0]]: {
          [commandLine]: (path) => {
            text("#!/bin/sh\n")(path);
            chmodSync(path, 0o644);
          },
        },
      });
      const said = await run(made, [...flags(made.root), made.bin]);
      assert.equal(said.code, 1);
      assert.match(said.stderr, /^portlease: .*EACCES.*\n$/);
    });
  }
}

test("without the package for this machine the command says which one it lacks", deadline, async (t) => {
  const made = project(t);
  const said = await run(made, [made.bin, "get"]);
  assert.equal(said.code, 1);
  assert.match(said.stderr, /^portlease: .*@portlease\/\S+ is not installed.*npm install --include=optional.*\n$/);
});
