// A machine with a registry of its own, the service on it, and pages in a real browser that may do nothing that the page should not do.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { launch } from "../packed/project/planner/browser.mjs";

const here = dirname(fileURLToPath(import.meta.url));
/** Where the tools of these tests are installed. */
const tools = join(here, "..", "..", "npm", "portlease");
const require = createRequire(join(tools, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const binary = wanted("PORTLEASE_BINARY");
const pictures = wanted("SCREENSHOTS");

function wanted(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set: start these tests with \`cargo xtask dashboard\``);
  return value;
}

/** How long anything may take before it counts as broken: these machines are busy. */
const PATIENCE = 30_000;

/** A registry, the programs that use it, and a browser that looks at them. All of it is gone after the test. */
export class Machine {
  #children = new Set();
  #browser;
  #misdeeds = [];

  constructor(environment = {}) {
    this.folder = mkdtempSync(join(tmpdir(), "portlease-dashboard-"));
    const registry = `sqlite:${join(this.folder, "registry.db")}`;
    const state = { HOME: this.folder, XDG_STATE_HOME: this.folder, XDG_CONFIG_HOME: this.folder };
    const path = [join(tools, "node_modules", ".bin"), process.env.PATH].join(delimiter);
    this.environment = { ...process.env, ...state, PATH: path, PORTLEASE_REGISTRY: registry, CONTAINERIZATION_ENABLED: "false", ...environment };
    delete this.environment.PORTLEASE_RUN;
    delete this.environment.PORT;
  }

  /** A folder of this machine. */
  project(name) {
    const folder = join(this.folder, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Runs the command line to its end, and answers what it printed. */
  async portlease(...parameters) {
    const { stdout } = await promisify(execFile)(binary, parameters, { env: this.environment, cwd: this.folder, maxBuffer: 1 << 28 });
    return stdout.trim();
  }

  /** Starts the command line. */
  start(parameters, cwd = this.folder) {
    const child = spawn(binary, parameters, { env: this.environment, cwd, stdio: ["ignore", "pipe", "pipe"] });
    const said = [];
    child.stderr.on("data", (bytes) => said.push(bytes));
    child.stdout.on("data", (bytes) => said.push(bytes));
    const ended = once(child, "exit").finally(() => this.#children.delete(started));
    const started = {
      child,
      ended,
      said: () => Buffer.concat(said).toString(),
      async stop(signal = "SIGTERM") {
        child.kill(signal);
        await ended;
      },
    };
    this.#children.add(started);
    return started;
  }

  /** Starts the service, and waits for its address. */
  async serve(...parameters) {
    const service = this.start(["serve", "--json", ...parameters]);
    const said = until("it serves", () => /"url":\s*"([^"]+)"/.exec(service.said())?.[1]);
    const url = await Promise.race([said, service.ended.then(() => assert.fail(`it ended: ${service.said()}`))]);
    return { ...service, url: new URL(url).href };
  }

  /** Opens a page that is watched. */
  async open(url, { colorScheme = "light", viewport = { width: 1440, height: 900 } } = {}) {
    this.#browser ??= await launch(chromium);
    const page = await this.#browser.newPage({ colorScheme, viewport });
    page.setDefaultTimeout(PATIENCE);
    const { origin } = new URL(url);
    page.on("console", (line) => line.type() === "error" && this.#blame(`console: ${line.text()} ${line.location().url}`));
    page.on("pageerror", (error) => this.#blame(`error: ${error.stack}`));
    page.on("request", (request) => {
      const address = new URL(request.url());
      if (address.origin !== origin && address.protocol !== "data:") {
        this.#blame(`it asked ${address}`);
      }
    });
    page.on("dialog", (dialog) => this.#blame(`a script of the data ran: ${dialog.message()}`));
    await page.exposeFunction("blame", (misdeed) => this.#blame(misdeed));
    await page.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => window.blame(`policy: ${event.violatedDirective} ${event.blockedURI}`));
    });
    await page.goto(url);
    return page;
  }

  /** What the browser says about a connection that is refused, or about an answer that is no success, is expected by some tests. */
  forgive(pattern) {
    this.#misdeeds = this.#misdeeds.filter((misdeed) => !pattern.test(misdeed));
  }

  #blame(misdeed) {
    this.#misdeeds.push(misdeed);
  }

  /** Ends everything; pages that misbehaved fail the test. */
  async close() {
    await this.#browser?.close();
    // Whoever is asked to end ends its children as well.
    await Promise.all([...this.#children].map(({ stop }) => stop()));
    rmSync(this.folder, { recursive: true, force: true });
    assert.deepEqual(this.#misdeeds, []);
  }
}

/** Runs a test on a machine of its own. */
export function on(work, environment) {
  return async () => {
    const machine = new Machine(environment);
    let failure;
    try {
      await work(machine);
    } catch (error) {
      failure = error;
    }
    const unruly = await machine.close().then(() => undefined, (error) => error);
    if (failure ?? unruly) {
      throw failure ?? unruly;
    }
  };
}

/** What axe finds, but for what is left out: thousands of cells take it a while. */
export async function violations(page, leftOut = []) {
  await page.evaluate(axe);
  const found = await page.evaluate(
    ([leftOut, rules]) => window.axe.run({ include: [["html"]], exclude: leftOut.map((selector) => [selector]) }, { runOnly: rules }),
    [leftOut, ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]],
  );
  return found.violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`);
}

/** Puts a picture of what is seen into the target folder. */
export async function picture(page, name, options = {}) {
  mkdirSync(pictures, { recursive: true });
  if (options.fullPage) {
    // What is out of sight is not drawn, which the picture shows.
    await page.evaluate(() => {
      scrollTo({ top: 0, behavior: "instant" });
      document.querySelectorAll(".strip").forEach((strip) => (strip.style.contentVisibility = "visible"));
    });
  }
  await page.screenshot({ path: join(pictures, `${name}.png`), animations: "disabled", ...options });
}

/** Waits until something is so. */
export async function until(what, isSo) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const answer = await isSo();
    if (answer) {
      return answer;
    }
    assert.ok(Date.now() < deadline, `it did not come to be that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The cell of a port on the map. */
export const cell = (page, port) => page.locator(`#grid [data-port="${port}"]`);
/** The row of a lease in the table. */
export const row = (page, text) => page.locator("#leases-body tbody tr", { hasText: text });
/** Opens the panel about the port of a lease. What comes above pushes the table down, and a click may land beside it. */
export const openPanel = (page, text) =>
  until("the panel is open", async () => {
    await row(page, text).locator(".port").click();
    return page.locator("#panel").isVisible();
  });
/** Waits until the connection is as it should be. */
export const connected = (page, state = "live") => page.locator(`#connection[data-state="${state}"]`).waitFor();
