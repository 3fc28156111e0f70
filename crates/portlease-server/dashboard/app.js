// The dashboard: what the service knows, shown as it changes.

import { get, onTokenNeeded, send } from "./app/api.js";
import { showConnection } from "./app/connection.js";
import { askForToken, confirm } from "./app/dialogs.js";
import { the } from "./app/dom.js";
import { showFigures } from "./app/figures.js";
import { showHosts } from "./app/hosts.js";
import { follow } from "./app/live.js";
import { PortMap } from "./app/map.js";
import { sentence, tell, tellNothing } from "./app/news.js";
import { Panel } from "./app/panel.js";
import { Planner } from "./app/planner.js";
import { atMostOnceIn } from "./app/refresh.js";
import { State } from "./app/state.js";
import { LeaseTable } from "./app/table.js";
import { chooseTheme } from "./app/theme.js";
import { keepTime } from "./app/time.js";
import { count } from "./app/words.js";

/** @import { LiveEvent } from "./types.js" */

const state = new State();
const open = (/** @type {number} */ port) => panel.open(port);
const map = new PortMap(state, open);
const table = new LeaseTable(state, open);
const planner = new Planner(state);
const panel = new Panel(state, (port) => {
  map.show(port);
  table.show(port);
});

/** Projects about whose servers something may have changed. @type {Set<string>} */
const unclear = new Set();
/** With more than these, something is going on that nobody follows lease by lease. */
const MOST_UNCLEAR = 20;

const askMap = atMostOnceIn(3000, async () => state.loadMap(await get("/api/map")));
const askFigures = atMostOnceIn(5000, async () => showFigures(await get("/api/stats?top=5")));
const askHosts = atMostOnceIn(60_000, async () => showHosts((await get("/api/hosts")).hosts));
const askDetails = atMostOnceIn(400, async () => {
  const projects = [...unclear].slice(0, MOST_UNCLEAR);
  unclear.clear();
  const answers = projects.map((project) => get(`/api/leases?project=${encodeURIComponent(project)}`));
  for (const { leases } of await Promise.all(answers)) {
    state.loadDetails(leases);
  }
});

/** @param {LiveEvent} event */
function take(event) {
  const text = sentence(event, state);
  state.apply(event);
  if (text !== undefined) {
    tell(text);
  }
  switch (event.type) {
    case "leaseGranted":
    case "leaseChanged":
    case "leaseMoved":
      unclear.add(event.lease.project);
      askDetails();
  }
  if (event.type !== "healthChanged") {
    askMap();
    askFigures();
    askHosts();
  }
}

state.onChange((change) => {
  map.update(change);
  table.update(change);
  if (change.ranges) {
    planner.offer(state.ranges);
  }
  if (change.ports.has(panel.port)) {
    panel.refresh();
  }
});

the("cleanup").addEventListener("click", () => {
  const stale = [...state.leases.values()].filter(({ status }) => status === "stale").length;
  const those = stale === 0 ? "No such lease is known at the moment." : `${count(stale, "such lease")} ${stale === 1 ? "is" : "are"} known at the moment.`;
  void confirm({
    title: "Clean up?",
    text: `Leases whose processes have ended are removed. ${those} Nothing that runs is touched.`,
    action: "Clean up",
    run: async () => {
      const { removed } = await send("/api/cleanup", {});
      tell(removed.length === 0 ? "There was nothing to clean up" : `${count(removed.length, "lease")} cleaned up`);
    },
  });
});

addEventListener("keydown", (event) => {
  const isTyping = /** @type {Element | null} */ (event.target)?.closest?.("input, textarea, select, dialog") ?? null;
  if (event.key === "/" && isTyping === null && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    the("search").focus();
  }
});

chooseTheme();
keepTime();
tellNothing();
onTokenNeeded(askForToken);
const retry = follow(take, (connection) => {
  showConnection(connection);
  if (connection.state === "live") {
    askMap();
    askFigures();
    askHosts();
  }
});
the("alarm-retry").addEventListener("click", retry);
