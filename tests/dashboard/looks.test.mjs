// What the dashboard looks like, to people and to programs that read it to them. The pictures are for people to look at.

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { cell, connected, Machine, on, picture, row, until, violations } from "./support.mjs";

const SIZES = [
  { width: 1440, height: 900 },
  { width: 820, height: 1180 },
  { width: 360, height: 740 },
];

/** All strips are made in the same way; that they all are as they should be is looked at once. */
const MORE_OF_THE_MAP = ".strip:nth-child(n + 4)";

describe("everything that is shown can be read by everybody", () => {
  const machine = new Machine();
  const servers = [];
  let url;

  before(async () => {
    ({ url } = await machine.serve());
    const leases = { shop: ["next", "vite"], blog: ["astro"], atlas: ["next", "django", "vite"], ledger: ["rails"], docs: ["docusaurus"], "very-long-name-of-a-project-from-friday": ["storybook"] };
    for (const [project, frameworks] of Object.entries(leases)) {
      for (const framework of frameworks) {
        const port = await machine.portlease("get", "--project", `/home/ada/projects/${project}`, "--service", framework, "--framework", framework);
        if (framework !== "vite") {
          const server = createServer((_, response) => response.end("hello")).listen(Number(port), "127.0.0.1");
          await once(server, "listening");
          servers.push(server);
        }
      }
    }
    for (const framework of ["next", "flask"]) {
      await machine.portlease("get", "--project", "gone", "--service", framework, "--framework", framework);
    }
    await machine.portlease("release", "--project", "gone");
  });
  after(async () => {
    servers.forEach((server) => server.close());
    await machine.close();
  });

  for (const viewport of SIZES) {
    for (const colorScheme of ["light", "dark"]) {
      const name = `${viewport.width}x${viewport.height}-${colorScheme}`;
      test(name, async () => {
        const page = await machine.open(url, { colorScheme, viewport });
        await connected(page);
        await row(page, "atlas").first().waitFor();
        await page.locator("#counters dd").first().waitFor();
        await until("the live ones are live", async () => (await page.locator('#leases-body [data-state="live"]').count()) >= 6);
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it has to be scrolled sideways");
        await picture(page, `${name}-top`);
        assert.deepEqual(await violations(page, name === "1440x900-light" ? [] : [MORE_OF_THE_MAP]), []);

        await page.getByRole("button", { name: "Plan", exact: true }).click();
        await page.locator("#plan-answer table").waitFor();
        await page.locator("#planner").scrollIntoViewIfNeeded();
        await picture(page, `${name}-whole`, { fullPage: true });
        assert.deepEqual(await violations(page, [MORE_OF_THE_MAP]), []);

        await row(page, "shop").locator(".port").first().click();
        await page.locator(".why .trace, .why .note:not(:text('Looking'))").first().waitFor();
        await page.locator(".who dl, .who .note:not(:text('Looking'))").first().waitFor();
        await page.evaluate(() => scrollTo(0, 0));
        await picture(page, `${name}-panel`);
        assert.deepEqual(await violations(page, [MORE_OF_THE_MAP]), []);

        await page.locator('[data-do="release"]').click();
        await picture(page, `${name}-dialog`);
        assert.deepEqual(await violations(page, [MORE_OF_THE_MAP]), []);
        await page.close();
      });
    }
  }
});

test("an empty machine says what to do", on(async (machine) => {
  const { url } = await machine.serve();
  const page = await machine.open(url);
  await connected(page);
  await page.getByText("portlease run -- npm run dev").waitFor();
  await picture(page, "empty");
  assert.deepEqual(await violations(page), []);
}));

test("who wants no motion sees none", on(async (machine) => {
  const { url } = await machine.serve();
  const page = await machine.open(url);
  await page.emulateMedia({ reducedMotion: "reduce" });
  await cell(page, 3000).waitFor();
  const moving = () => page.evaluate(() => [...document.querySelectorAll("*")].filter((element) => {
    const { animationName, transitionDuration } = getComputedStyle(element);
    return animationName !== "none" || transitionDuration.split(", ").some((time) => time !== "0s");
  }).length);
  assert.equal(await moving(), 0);
  await page.emulateMedia({ reducedMotion: "no-preference" });
  assert.notEqual(await moving(), 0);
}));

test("5,000 leases in 40 ranges stay usable", on(async (machine) => {
  const exported = JSON.parse(await machine.portlease("export"));
  writeFileSync(join(machine.folder, "portlease.toml"), many.configuration());
  writeFileSync(join(machine.folder, "many.json"), JSON.stringify(many.leases(exported, await hostOf(machine))));
  await machine.portlease("import", "many.json");
  const { url } = await machine.serve();
  const page = await machine.open(url);
  const start = Date.now();
  await row(page, "project-0").first().waitFor();
  const shown = Date.now() - start;
  await page.locator("#grid:not([aria-busy])").waitFor();
  assert.match(await page.locator("#leases-count").textContent(), /^5,00\d$/);
  assert.ok((await page.locator("#leases-body tbody tr").count()) <= 50, "all rows are there at once");

  const work = await page.evaluate(async () => {
    const search = document.getElementById("search");
    const times = [];
    for (const text of ["p", "project-4", "project-4321", ""]) {
      const start = performance.now();
      search.value = text;
      search.dispatchEvent(new Event("input"));
      // What is laid out counts, too.
      search.getBoundingClientRect();
      times.push(performance.now() - start);
    }
    return Math.max(...times);
  });
  assert.ok(work < 500, `a letter in the search took ${work} ms`);

  // An event changes one row and one cell, and nothing else.
  await page.evaluate(() => {
    window.changes = 0;
    const watch = { childList: true, subtree: true, attributes: true };
    new MutationObserver((changes) => (window.changes += changes.length)).observe(document.getElementById("grid"), watch);
  });
  await machine.portlease("get", "--project", "one-more", "--framework", "vite");
  await page.locator("#news").getByText("one-more web got").waitFor();
  await until("the map knows it", () => page.evaluate(() => window.changes > 0));
  assert.ok((await page.evaluate(() => window.changes)) < 200, "much more than a cell changed");
  await picture(page, "many");
  console.log(`5,000 leases: shown after ${shown} ms, ${Math.round(work)} ms for a letter in the search`);
}));

const many = {
  /** Thirty ranges beside those that are known. */
  configuration() {
    const lines = Array.from({ length: 30 }, (_, index) => `[frameworks.team-${index}]\nrange = "${10_000 + 200 * index}-${10_100 + 200 * index}"\n`);
    return lines.join("\n");
  },
  leases(exported, host) {
    const now = Date.now();
    const ranges = Array.from({ length: 50 }, (_, index) => [10_000 + 200 * index, 10_100 + 200 * index]);
    const leases = ranges.flatMap(([first, last]) => Array.from({ length: 100 }, (_, offset) => ({ port: first + offset, range: [first, last] })));
    const rows = leases.map(({ port, range }, index) => ({
      project: `/home/ada/projects/project-${index}`,
      service: "web",
      port,
      framework: "vite",
      generation: index + 1,
      state: "reserved",
      range,
      tier: "scan",
      priority: 0,
      grantedAt: now - 60_000 * index,
      renewedAt: now,
    }));
    return { ...exported, hosts: { [host]: { leases: rows, lastGeneration: rows.length } } };
  },
};

/** The name that this machine has in exports. */
async function hostOf(machine) {
  await machine.portlease("get", "--project", "anybody");
  const { hosts } = JSON.parse(await machine.portlease("export"));
  await machine.portlease("release", "--project", "anybody");
  return Object.keys(hosts)[0];
}
