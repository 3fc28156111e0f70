// The panel about one port: to whom it is leased, who is on it, and why.

import { get, send } from "./api.js";
import { confirm } from "./dialogs.js";
import { make, set, the } from "./dom.js";
import { badge, milliseconds } from "./table.js";
import { ago } from "./time.js";
import { traceList, TIERS } from "./trace.js";
import { CONDITIONS, condition, holder, owner, STATES, urlOf } from "./words.js";

/** @import { ContainerOnPort, Explanation, LeaseView, PortPresence, PortState, ProgramOnPort } from "../types.js" */
/** @import { State } from "./state.js" */

/** What it means when nobody has a lease. @type {Partial<Record<PortState, string>>} */
const MEANINGS = {
  occupied: "A program that has no lease is on this port, so it is granted to nobody.",
  excluded: "This port is granted to nobody: browsers refuse it, the system keeps it, or the configuration excludes it.",
  remembered: "A project had this port before and gets it back first. Others get it when nothing else is free.",
  free: "Nobody has this port.",
};

export class Panel {
  #state;
  #onShow;
  #panel = the("panel");
  #port = 0;
  /** Where the focus goes when it is closed. @type {HTMLElement | null} */
  #from = null;
  /** Answers to earlier questions come late. */
  #turn = 0;

  /**
   * @param {State} state
   * @param {(port: number) => void} onShow hears about which port it tells; 0 is none
   */
  constructor(state, onShow) {
    this.#state = state;
    this.#onShow = onShow;
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#port > 0 && document.querySelector("dialog[open]") === null) {
        this.close();
      }
    });
  }

  /** The port about which it tells; 0 is none. */
  get port() {
    return this.#port;
  }

  /** @param {number} port */
  open(port) {
    const active = /** @type {HTMLElement | null} */ (document.activeElement);
    if (!this.#panel.contains(active)) {
      this.#from = active;
    }
    this.#port = port;
    this.#panel.hidden = false;
    this.refresh();
    this.#panel.focus({ preventScroll: true });
    this.#onShow(port);
  }

  close() {
    this.#port = 0;
    this.#turn += 1;
    const hadFocus = this.#panel.contains(document.activeElement);
    this.#panel.hidden = true;
    this.#onShow(0);
    if (hadFocus) {
      (this.#from?.isConnected ? this.#from : the("leases")).focus();
    }
  }

  /** Tells anew what is known about the port, and asks for the rest. */
  refresh() {
    const port = this.#port;
    this.#turn += 1;
    const view = this.#state.leaseAt(port);
    const state = this.#state.stateOf(port);
    const who = make("div", { class: "who" }, make("p", { class: "note" }, "Looking …"));
    const why = make("div", { class: "why" }, make("p", { class: "note" }, "Looking …"));
    const focused = this.#panel.contains(document.activeElement) ? document.activeElement?.getAttribute("data-do") : undefined;
    this.#replace(
      this.#head(port, state, view),
      ...(view === undefined ? [make("p", { class: "meaning" }, MEANINGS[state] ?? "")] : lease(view)),
      section("On the port", who),
      section(view === undefined ? "If somebody asked for it" : "If its project asked now", why),
    );
    if (focused !== undefined) {
      /** @type {HTMLElement} */ (this.#panel.querySelector(`[data-do="${focused}"]`) ?? this.#panel).focus();
    }
    void this.#fill(who, async () => presence(await get(`/api/who/${port}`)));
    void this.#fill(why, async () => explanation(await send("/api/explain", wish(port, view))));
  }

  /**
   * Shows something else below the head, which stays where it is as long as it says the same: a click on a button that is replaced
   * before it is let go is lost.
   * @param {HTMLElement} head
   * @param {...HTMLElement} rest
   */
  #replace(head, ...rest) {
    const [there, ...former] = this.#panel.children;
    if (there?.isEqualNode(head)) {
      former.forEach((part) => part.remove());
      this.#panel.append(...rest);
    } else {
      this.#panel.replaceChildren(head, ...rest);
    }
  }

  #release() {
    const view = this.#state.leaseAt(this.#port);
    if (view !== undefined) {
      void release(view);
    }
  }

  /**
   * @param {number} port
   * @param {PortState} state
   * @param {LeaseView} [view]
   */
  #head(port, state, view) {
    const title = make("h2", { id: "panel-title" }, make("span", { class: "sr" }, "Port "), port);
    const close = make("button", { type: "button", class: "quiet square", "data-do": "close", "aria-label": "Close", click: () => this.close() }, "✕");
    const mark = view === undefined ? make("span", { class: "badge" }, make("span", { class: "cell", "data-state": state }), STATES[state]) : badge(view);
    const actions = make("div", { class: "actions" });
    if (view !== undefined) {
      actions.append(
        make("a", { class: "button primary", href: urlOf(view.lease), target: "_blank", rel: "noreferrer", "data-do": "open" }, "Open"),
        make("button", { type: "button", class: "quiet", "data-do": "release", click: () => this.#release() }, "Release"),
      );
    }
    return make("div", { class: "panel-head" }, make("div", { class: "panel-title" }, title, mark, close), actions);
  }

  /**
   * Fills a part with what is asked for, unless the panel has turned to something else meanwhile.
   * @param {HTMLElement} part
   * @param {() => Promise<Node[]>} ask
   */
  async #fill(part, ask) {
    const turn = this.#turn;
    set(part, "aria-busy", "true");
    const content = await ask().catch((/** @type {Error} */ problem) => [make("p", { class: "problem" }, problem.message)]);
    if (turn === this.#turn) {
      part.replaceChildren(...content);
      set(part, "aria-busy", null);
    }
  }
}

/**
 * What is asked to learn why a port is whose it is: the lease's own request, or that of a stranger for this port.
 * @param {number} port
 * @param {LeaseView} [view]
 */
function wish(port, view) {
  if (view === undefined) {
    return { projectId: "somebody", service: "web", port };
  }
  const { project, service, framework } = view.lease;
  return { projectId: project, service, detectedFramework: framework };
}

/** @param {LeaseView} view */
async function release(view) {
  const { project, service, instance = 1, generation, port } = view.lease;
  const released = (/** @type {boolean} */ force) => send("/api/leases", { project, service, instance, generation, ...(force && { force }) }, "DELETE");
  const isServed = view.status === "live";
  await confirm({
    title: `Release port ${port}?`,
    text: isServed
      ? `The server of ${owner(view.lease)} goes on running, but others may be granted its port once it has ended.`
      : `${owner(view.lease)} gives the port back. It is remembered, and the next start gets it again if it is free.`,
    action: "Release",
    run: () => released(false),
    instead: { code: "NOT_OWNER", action: "Release anyway", run: () => released(true) },
  });
}

/** @param {string} title @param {Node} content */
function section(title, content) {
  return make("section", {}, make("h3", {}, title), content);
}

/** @param {[name: string, value: Node | string | number | undefined][]} facts */
function list(facts) {
  const known = facts.filter(([, value]) => value !== undefined && value !== "");
  return make("dl", {}, ...known.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value))));
}

/** @param {LeaseView} view */
function lease(view) {
  const { lease, health } = view;
  const facts = list([
    ["Project", lease.project],
    ["Service", (lease.instance ?? 1) > 1 ? `${lease.service}, instance ${lease.instance}` : lease.service],
    ["Framework", lease.framework],
    ["Address", make("a", { href: urlOf(lease), target: "_blank", rel: "noreferrer" }, urlOf(lease))],
    ["Shared by", lease.followers?.map(({ service }) => service).join(", ")],
    ["Holder", lease.holder && holder(lease.holder)],
    ["Container", view.container && `${view.container.name} (${view.container.engine}, ${view.container.state})`],
    ["Health", health && `${health.state}${health.latencyMicros === undefined ? "" : `, ${milliseconds(health.latencyMicros)}`}${health.httpStatus === undefined ? "" : `, HTTP ${health.httpStatus}`}`],
    ["Problem", health?.problem],
    ["Granted", make("span", {}, ago(lease.grantedAt), ` ago, ${TIERS[lease.tier] ?? lease.tier}`)],
    ["Last used", make("span", {}, ago(lease.renewedAt), " ago")],
    ["Grant", `${lease.generation}`],
  ]);
  return [make("p", { class: "meaning" }, CONDITIONS[condition(view)] ?? ""), facts];
}

/** @param {PortPresence} presence */
function presence({ occupants, containers }) {
  const parts = [...occupants.map(program), ...containers.map(container)];
  return parts.length === 0 ? [make("p", { class: "note" }, "Nobody.")] : parts;
}

/** @param {ProgramOnPort} program */
function program({ pid, name, command, directory, user, startedAt, listens }) {
  return list([
    ["Program", name ?? "unknown"],
    ["Process", pid ?? undefined],
    ["Command", command.length === 0 ? undefined : make("code", {}, command.join(" "))],
    ["Folder", directory ?? undefined],
    ["User", user ?? undefined],
    ["Started", startedAt === null ? undefined : make("span", {}, ago(startedAt), " ago")],
    ["Doing", listens ? "listening" : "bound, not listening"],
  ]);
}

/** @param {ContainerOnPort} container */
function container({ name, state, engine, id }) {
  return list([
    ["Container", name],
    ["State", state],
    ["Engine", engine],
    ["Id", make("code", {}, id.slice(0, 12))],
  ]);
}

/** @param {Explanation} explanation */
function explanation({ trace, reserved }) {
  if (trace.length > 0) {
    return [traceList(trace)];
  }
  const granted = reserved?.services[0];
  return [make("p", { class: "note" }, granted === undefined ? "There is nothing to tell." : `Its project has it already: asking again answers ${granted.lease.port}.`)];
}
