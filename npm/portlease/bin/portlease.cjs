#!/usr/bin/env node
// The command line of Portlease: finds the program for this machine and becomes it.

"use strict";

const { spawn } = require("node:child_process");
const { accessSync, constants: { X_OK } } = require("node:fs");
const { constants: { signals } } = require("node:os");
const { isatty } = require("node:tty");
const { commandLine } = require("../dist/platform.cjs");

const parameters = process.argv.slice(2);

// What a terminal sends, it sends to the program as well. Passed on, it would arrive twice.
const OF_TERMINALS = ["SIGHUP", "SIGINT", "SIGQUIT"];
const OF_OTHERS = ["SIGTERM", "SIGUSR1", "SIGUSR2"];

try {
  start(commandLine());
} catch (error) {
  fail(error);
}

function start(program) {
  if (process.platform !== "win32" && process.execve !== undefined) {
    // It reports no failure but aborts, so what can fail is found out before.
    accessSync(program, X_OK);
    process.execve(program, [program, ...parameters], process.env);
  }
  accompany(spawn(program, parameters, { stdio: "inherit" }));
}

/** Stands before the program until it ends, and ends as it did. */
function accompany(child) {
  child.on("error", fail);
  const isOnTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  for (const signal of OF_TERMINALS) {
    process.on(signal, () => isOnTerminal || child.kill(signal));
  }
  for (const signal of OF_OTHERS) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("exit", (code, signal) => {
    if (signal === null) {
      process.exitCode = code;
      return;
    }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // Where the signal did not end this process, the code tells of it as a shell would.
    process.exitCode = 128 + signals[signal];
  });
}

function fail(error) {
  process.stderr.write(`portlease: ${error.message}\n`);
  process.exitCode = 1;
}
