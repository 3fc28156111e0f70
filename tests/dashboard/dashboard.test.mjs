// The dashboard of a real service in a real browser.

import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, test } from "node:test";

import { cell, connected, on, openPanel, picture, row, until, violations } from "./support.mjs";

test("a lease appears, goes live and ends as Vite starts and stops", on(async (machine) => {
  const { url } = await machine.serve();
  const page = await machine.open(url);
  await connected(page);
  const folder = machine.project("shop");
  writeFileSync(join(folder, "package.json"), '{ "name": "shop", "type": "module" }');
  writeFileSync(join(folder, "index.html"), "<h1>shop</h1>");
  assert.equal(await row(page, "shop").count(), 0);

  const vite = machine.start(["run", "--", "vite"], folder);
  await row(page, "shop").and(page.locator('[data-state="live"]')).waitFor();
  const port = Number(await row(page, "shop").locator(".port").textContent());
  await until("the map shows it", async () => (await cell(page, port).getAttribute("aria-label")) === `port ${port}, live, shop web`);
  await until("its process is shown", async () => /node|vite/.test(await row(page, "shop").locator('[data-key="server"]').textContent()));
  assert.equal(await row(page, "shop").locator("a").getAttribute("href"), `http://localhost:${port}`);
  // Vite binds for a moment to see whether it could.
  await until("it answers", () => fetch(`http://localhost:${port}/`).then(({ ok }) => ok, () => false));
  await until("it was announced", async () => (await page.locator("#news").textContent()).includes(`shop web got port ${port}`));

  await vite.stop();
  await row(page, "shop").waitFor({ state: "detached" });
  await until("the map remembers it", async () => (await cell(page, port).getAttribute("data-state")) === "remembered");
}));

test("a lease is released when that is confirmed, and not before", on(async (machine) => {
  const { url } = await machine.serve();
  const port = await machine.portlease("get", "--project", "shop", "--framework", "vite");
  const page = await machine.open(url);
  await openPanel(page, "shop");
  const panel = page.getByRole("complementary", { name: `Port ${port}` });
  await panel.getByRole("button", { name: "Release" }).click();
  const dialog = page.getByRole("dialog", { name: `Release port ${port}?` });
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await dialog.waitFor({ state: "hidden" });
  assert.match(await machine.portlease("ports"), /shop/);

  await panel.getByRole("button", { name: "Release" }).click();
  await dialog.getByRole("button", { name: "Release" }).click();
  await row(page, "shop").waitFor({ state: "detached" });
  assert.doesNotMatch(await machine.portlease("ports"), /shop/);
  await until("the panel tells so", async () => (await panel.textContent()).includes("remembered"));
}));

test("a lease whose owner runs is released only after another question", on(async (machine) => {
  const { url } = await machine.serve();
  const page = await machine.open(url);
  const run = machine.start(["run", "--project", "shop", "--service", "web", "--", process.execPath, "-e", "setInterval(() => {}, 1000)"]);
  await openPanel(page, "shop");
  await page.locator('[data-do="release"]').click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Release" }).click();
  // Whoever names the generation is the owner, unless somebody else runs on it.
  await Promise.race([row(page, "shop").waitFor({ state: "detached" }), dialog.getByRole("button", { name: "Release anyway" }).click()]);
  await row(page, "shop").waitFor({ state: "detached" });
  await run.stop();
}));

test("a button stays where it is when the lease changes, so that a click on it counts", on(async (machine) => {
  const { url } = await machine.serve();
  const port = await machine.portlease("get", "--project", "shop", "--framework", "vite");
  const page = await machine.open(url);
  const state = await row(page, "shop").getAttribute("data-state");
  const button = await row(page, "shop").locator(".port").elementHandle();
  const server = createServer().listen(Number(port));
  try {
    await until("the row tells of the server", async () => (await row(page, "shop").getAttribute("data-state")) !== state);
    assert.ok(await button.evaluate((node) => node.isConnected));
    await button.click();
    await page.getByRole("complementary", { name: `Port ${port}` }).waitFor();
  } finally {
    server.close();
  }
}));

test("stale leases are cleaned up when that is confirmed", on(async (machine) => {
  const { url } = await machine.serve();
  const page = await machine.open(url);
  const script = "console.log(`pid ${process.pid}`); setInterval(() => {}, 1000)";
  const run = machine.start(["run", "--project", "gone", "--", process.execPath, "-e", script]);
  await row(page, "gone").waitFor();
  const pid = Number(await until("it runs", () => /^pid (\d+)$/m.exec(run.said())?.[1]));
  await run.stop("SIGKILL");
  process.kill(pid, "SIGKILL");
  await page.getByRole("button", { name: "Clean up" }).click();
  await page.getByRole("dialog", { name: "Clean up?" }).getByRole("button", { name: "Clean up" }).click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await row(page, "gone").waitFor({ state: "detached" });
}));

test("the panel says who is on a port, and what the trace says", on(async (machine) => {
  const { url } = await machine.serve();
  const port = Number(await machine.portlease("get", "--project", "shop", "--framework", "vite"));
  const server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  try {
    const page = await machine.open(url);
    await cell(page, port).click();
    const panel = page.getByRole("complementary", { name: `Port ${port}` });
    await until("it names the process", async () => (await panel.locator(".who").textContent()).includes(`${process.pid}`));
    await panel.locator(".why .trace, .why .note").first().waitFor();
    // A port that nobody has, by the keyboard.
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "hidden" });
    await cell(page, port + 7).focus();
    await page.keyboard.press("Enter");
    const other = page.getByRole("complementary", { name: `Port ${port + 7}` });
    await until("it would be granted", async () => (await other.locator(".trace").textContent()).includes("granted"));
    assert.match(await other.locator(".who").textContent(), /Nobody/);
  } finally {
    server.close();
  }
}));

test("the planner in the page answers as the service does", on(async (machine) => {
  const { url } = await machine.serve();
  for (const project of ["one", "two"]) {
    await machine.portlease("get", "--project", project, "--framework", "next");
  }
  const page = await machine.open(url);
  await connected(page);
  const form = page.locator("#plan");
  await form.getByLabel("Project").fill("shop");
  await form.getByRole("button", { name: "Add a service" }).click();
  const fields = { web: "next", api: "3000–3050", docs: "" };
  for (const [index, [service, place]] of Object.entries(fields).entries()) {
    const service_ = form.getByRole("group", { name: `Service ${index + 1}` });
    await service_.getByLabel("Service", { exact: true }).fill(service);
    await service_.getByLabel("Framework or range").fill(place);
  }
  await form.getByRole("button", { name: "Plan" }).click();
  const answer = page.locator("#plan-answer");
  await answer.getByText("Decided in this page").waitFor();
  const planned = await answer.locator("tbody tr").evaluateAll((rows) => rows.map((row) => [row.cells[0].textContent, Number(row.cells[1].textContent)]));

  const services = [{ service: "web", framework: "next" }, { service: "api", basePort: 3000, maxPort: 3050 }, { service: "docs" }];
  const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ projectId: "shop", services }) };
  const { reserved } = await (await fetch(new URL("/api/explain", url), request)).json();
  assert.deepEqual(planned, reserved.services.map(({ service, lease }) => [service, lease.port]));
  assert.match(await answer.locator(".trace").textContent(), /leased to one web/);
  for (const [service, port] of planned) {
    assert.match(await cell(page, port).getAttribute("aria-label"), new RegExp(`planned for ${service}$`));
  }
  assert.doesNotMatch(await machine.portlease("ports"), /shop/);
}));

test("the planner says why there is no plan", on(async (machine) => {
  const { url } = await machine.serve();
  const port = await machine.portlease("get", "--project", "shop", "--framework", "vite");
  const page = await machine.open(url);
  await connected(page);
  const place = page.getByRole("group", { name: "Service 1" }).getByLabel("Framework or range");
  await place.fill(port);
  await page.getByRole("button", { name: "Plan", exact: true }).click();
  const problem = page.locator("#plan-answer .problem");
  await problem.getByText("taken").waitFor();
  await place.fill("nxt");
  await page.getByRole("button", { name: "Plan", exact: true }).click();
  await problem.getByText("Did you mean").waitFor();
}));

test("the token is asked for, and kept as long as the page", on(async (machine) => {
  const { url } = await machine.serve();
  await machine.portlease("get", "--project", "shop");
  const page = await machine.open(url);
  const dialog = page.getByRole("dialog", { name: "Token" });
  await dialog.waitFor();
  assert.equal(await row(page, "shop").count(), 0);
  await dialog.getByLabel("Token").fill("something-else-than-the-token");
  await dialog.getByRole("button", { name: "Open" }).click();
  await dialog.getByText("That was not the token.").waitFor();
  await dialog.getByLabel("Token").fill("a-token-of-the-tests-long-enough");
  await dialog.getByRole("button", { name: "Open" }).click();
  await row(page, "shop").waitFor();
  await page.reload();
  await row(page, "shop").waitFor();
  assert.equal(await dialog.isVisible(), false);
  assert.equal(await page.evaluate(() => localStorage.length), 0);
  machine.forgive(/the server responded with a status of 401/);
}, { PORTLEASE_TOKEN: "a-token-of-the-tests-long-enough" }));

test("HTML in names is text", on(async (machine) => {
  const { url } = await machine.serve();
  const project = "<img src=x onerror=alert(1)>";
  const port = Number(await machine.portlease("get", "--project", project, "--service", "<script>alert(2)</script>", "--framework", "vite"));
  const page = await machine.open(url);
  await openPanel(page, project);
  await cell(page, port).hover();
  await page.locator(".why .trace, .why .note").first().waitFor();
  await page.getByLabel("Project").fill("<b>bold</b>");
  await page.getByRole("group", { name: "Service 1" }).getByLabel("Framework or range").fill(`${port}`);
  await page.getByRole("button", { name: "Plan", exact: true }).click();
  await page.locator("#plan-answer .trace").getByText(project).waitFor();
  await page.locator('[data-do="release"]').click();
  await page.getByRole("dialog").getByText(project).waitFor();
  assert.equal(await page.locator('img[src="x"], main script, main b:text("bold")').count(), 0);
}));

test("a page goes on where it was when the service starts again", on(async (machine) => {
  const first = await machine.serve();
  const page = await machine.open(first.url);
  await connected(page);
  await first.stop();
  await connected(page, "lost");
  const alarm = page.getByRole("alert").filter({ hasText: "portlease serve" });
  await alarm.waitFor();
  await machine.portlease("get", "--project", "meanwhile");
  assert.equal((await machine.serve()).url, first.url);
  await connected(page);
  await row(page, "meanwhile").waitFor();
  await alarm.waitFor({ state: "hidden" });
  await machine.portlease("get", "--project", "afterwards");
  await row(page, "afterwards").waitFor();
  machine.forgive(/net::ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|CONNECTION_RESET|EMPTY_RESPONSE|NETWORK_CHANGED)/);
}));

test("a page that was cut off hears what it missed, and no more", on(async (machine) => {
  const { url } = await machine.serve();
  const page = await machine.open(url);
  await page.addInitScript(() => {
    const { fetch } = window;
    window.fetch = (path, options) => {
      const cut = new AbortController();
      window.cut = path === "/api/events" ? () => cut.abort() : window.cut;
      return fetch(path, { ...options, ...(path === "/api/events" && { signal: cut.signal }) });
    };
  });
  await page.reload();
  await connected(page);
  await machine.portlease("get", "--project", "before");
  await row(page, "before").waitFor();
  await page.route("**/api/events", (route) => route.abort());
  await page.evaluate(() => window.cut());
  await connected(page, "lost");
  await machine.portlease("get", "--project", "meanwhile");
  const asked = page.waitForRequest((request) => request.url().endsWith("/api/events"));
  await page.unroute("**/api/events");
  assert.match((await asked).headers()["last-event-id"], /^.+-\d+$/);
  await row(page, "meanwhile").waitFor();
  // A snapshot of everything would have told of no grant.
  await page.locator("#news").getByText("meanwhile web got port").waitFor();
  machine.forgive(/net::ERR_FAILED/);
}));

describe("the keyboard", () => {
  test("goes through the map, which is one stop", on(async (machine) => {
    const { url } = await machine.serve();
    const page = await machine.open(url);
    await cell(page, 3000).focus();
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("data-port"));
    const check = async (key, expected) => {
      await page.keyboard.press(key);
      assert.equal(await focused(), expected, key);
    };
    await check("ArrowRight", "3001");
    await check("ArrowLeft", "3000");
    await check("End", "3100");
    await check("Home", "3000");
    await check("ArrowDown", "4000");
    await check("ArrowRight", "4001");
    await check("ArrowUp", "3001");
    await check("PageDown", "4000");
    assert.equal(await page.locator('#grid [tabindex="0"]').count(), 1);
    await page.locator("#tip").getByText("4000").waitFor();
    // Where the rows are wrapped, down is the next row.
    await page.setViewportSize({ width: 360, height: 740 });
    await cell(page, 3000).focus();
    await check("ArrowDown", "3026");
    await check("ArrowUp", "3000");
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: "Port 3000" }).waitFor();
    await page.keyboard.press("Escape");
    assert.equal(await focused(), "3000");
  }));

  test("searches the leases", on(async (machine) => {
    const { url } = await machine.serve();
    await Promise.all(["shop", "blog"].map((project) => machine.portlease("get", "--project", project)));
    const page = await machine.open(url);
    await row(page, "blog").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("sho");
    await row(page, "blog").waitFor({ state: "detached" });
    assert.match(await page.locator("#leases-count").textContent(), /^1 of 3$/);
    await page.keyboard.type("x");
    await page.getByText("No lease has “shox” in it.").waitFor();
    await page.keyboard.press("Escape");
    await row(page, "blog").waitFor();
  }));
});

test("hosts are shown where there are others than this one", on(async (machine) => {
  const { url } = await machine.serve();
  const page = await machine.open(url);
  await connected(page);
  await page.locator("#counters dd").first().waitFor();
  assert.equal(await page.locator("#hosts").isVisible(), false);

  await machine.portlease("get", "--project", "shop");
  const exported = JSON.parse(await machine.portlease("export"));
  const [here] = Object.keys(exported.hosts);
  const file = join(machine.folder, "other.json");
  writeFileSync(file, JSON.stringify({ ...exported, hosts: { "worker-7": exported.hosts[here] } }));
  await machine.portlease("import", file);
  await page.reload();
  const hosts = page.getByRole("region", { name: "Hosts" }).getByRole("row");
  await hosts.nth(2).waitFor();
  const told = (await hosts.allTextContents()).filter((text) => text.startsWith("worker-7"));
  assert.deepEqual(told, [`worker-7${(await machine.portlease("ports", "--all-hosts")).match(/^worker-7/gm).length}no runnernever by silence`]);
  assert.deepEqual(await violations(page, ["#grid"]), []);
  await picture(page, "hosts", { fullPage: true });
}));

test("leases are sorted by what is asked for", on(async (machine) => {
  const { url } = await machine.serve();
  for (const [project, framework] of [["b", "vite"], ["a", "astro"], ["c", "next"]]) {
    await machine.portlease("get", "--project", project, "--framework", framework);
  }
  const page = await machine.open(url);
  await row(page, "astro").waitFor();
  const projects = async () => (await page.locator("#leases-body .project").allTextContents()).filter((name) => name !== "portlease");
  assert.deepEqual(await projects(), ["c", "a", "b"]);
  const head = page.getByRole("columnheader", { name: "Project" });
  await head.getByRole("button").click();
  assert.deepEqual(await projects(), ["a", "b", "c"]);
  assert.equal(await head.getAttribute("aria-sort"), "ascending");
  await head.getByRole("button").click();
  assert.deepEqual(await projects(), ["c", "b", "a"]);
}));

test("the theme is the system's until another is chosen, which is kept", on(async (machine) => {
  const { url } = await machine.serve();
  const page = await machine.open(url, { colorScheme: "dark" });
  const theme = () => page.locator("html").getAttribute("data-theme");
  assert.equal(await theme(), "dark");
  await page.getByRole("button", { name: "Dark mode" }).click();
  assert.equal(await theme(), "light");
  await page.reload();
  assert.equal(await theme(), "light");
  await page.getByRole("button", { name: "Dark mode" }).click();
  assert.equal(await theme(), "dark");
}));
