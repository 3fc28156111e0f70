// The table of leases: searched, sorted, and of thousands only the first, until more are asked for.

import { make, set, the, write } from "./dom.js";
import { ago } from "./time.js";
import { stateOfLease } from "./state.js";
import { condition, count, server, shortProject, urlOf } from "./words.js";

/** @import { LeaseView } from "../types.js" */
/** @import { Change, State } from "./state.js" */
/** @typedef {{ row: HTMLTableRowElement, view: LeaseView }} Shown */
/** @typedef {{ name: string, key: string, by?: (view: LeaseView) => string | number, cell: (view: LeaseView, open: () => void) => (Node | string)[] }} Column */

const PAGE = 50;

/** @type {Column[]} */
const COLUMNS = [
  {
    name: "Port",
    key: "port",
    by: ({ lease }) => lease.port,
    cell: ({ lease }, open) => [make("button", { type: "button", class: "port", click: open, "aria-label": `Port ${lease.port}, details` }, lease.port)],
  },
  {
    name: "Project",
    key: "project",
    by: ({ lease }) => `${shortProject(lease.project)}\n${lease.service}`.toLowerCase(),
    cell: ({ lease }) => {
      const { project, service, instance = 1 } = lease;
      const number = instance > 1 ? [make("small", { title: `instance ${instance}` }, ` ×${instance}`)] : [];
      return [make("span", { class: "project", title: project }, shortProject(project)), " ", make("span", { class: "service" }, service), ...number];
    },
  },
  { name: "Framework", key: "framework", by: ({ lease }) => lease.framework, cell: ({ lease }) => [lease.framework] },
  { name: "State", key: "state", by: (view) => condition(view), cell: (view) => [badge(view)] },
  { name: "Server", key: "server", by: (view) => server(view)?.name ?? "\uffff", cell: serverCell },
  { name: "Age", key: "age", by: ({ lease }) => -lease.grantedAt, cell: ({ lease }) => [ago(lease.grantedAt)] },
  {
    name: "Address",
    key: "address",
    cell: ({ lease }) => [make("a", { href: urlOf(lease), target: "_blank", rel: "noreferrer" }, urlOf(lease).replace(/^\w+:\/\//, ""))],
  },
];

export class LeaseTable {
  #state;
  #open;
  #search = the("search", HTMLInputElement);
  #body = the("leases-body");
  #order = { key: "port", isDown: false };
  #most = PAGE;
  /** @type {Map<string, Shown>} */
  #rows = new Map();
  #shown = 0;

  /**
   * @param {State} state
   * @param {(port: number) => void} open shows who has a port
   */
  constructor(state, open) {
    this.#state = state;
    this.#open = open;
    this.#search.addEventListener("input", () => {
      this.#most = PAGE;
      this.#render();
    });
    this.#search.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#search.value !== "") {
        event.stopPropagation();
        this.#search.value = "";
        this.#render();
      }
    });
  }

  /** @param {Change} change */
  update({ leases }) {
    if (leases.size > 0 || this.#body.childElementCount === 0) {
      this.#render();
    }
  }

  /** Marks the lease about which the panel tells. @param {number} port */
  show(port) {
    this.#shown = port;
    this.#rows.forEach(({ row, view }) => set(row, "data-shown", view.lease.port === port));
  }

  #render() {
    if (!this.#state.isKnown) {
      return;
    }
    const all = this.#state.leases.size;
    const found = this.#found();
    const isSearched = this.#search.value.trim() !== "";
    write(the("leases-count"), isSearched ? `${found.length.toLocaleString("en")} of ${all.toLocaleString("en")}` : all.toLocaleString("en"));
    if (all === 0) {
      return this.#instead(...nothing());
    }
    if (found.length === 0) {
      return this.#instead(make("p", {}, `No lease has “${this.#search.value.trim()}” in it.`));
    }
    const rows = found.slice(0, this.#most).map(([key, view]) => this.#row(key, view));
    const table = this.#table();
    place(table.tBodies[0], rows);
    this.#welcome();
    this.#forget(new Set(rows));
    this.#offerMore(found.length);
  }

  #found() {
    const words = this.#search.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
    const matches = (/** @type {LeaseView} */ view) => words.length === 0 || words.every((word) => textOf(view).includes(word));
    const by = COLUMNS.find(({ key }) => key === this.#order.key)?.by ?? (() => 0);
    const sign = this.#order.isDown ? -1 : 1;
    return [...this.#state.leases]
      .filter(([, view]) => matches(view))
      .map((entry) => /** @type {const} */ ([by(entry[1]), entry]))
      .sort(([a, [, x]], [b, [, y]]) => sign * (a < b ? -1 : a > b ? 1 : x.lease.port - y.lease.port))
      .map(([, entry]) => entry);
  }

  /** @param {...Node} content */
  #instead(...content) {
    this.#rows.clear();
    this.#body.replaceChildren(make("div", { class: "empty" }, ...content));
  }

  #table() {
    const existing = this.#body.querySelector("table");
    if (existing !== null) {
      return existing;
    }
    const heads = COLUMNS.map(({ name, key, by }) => {
      const content = by === undefined ? name : make("button", { type: "button", click: () => this.#sort(key) }, name);
      return make("th", { scope: "col", role: "columnheader", "data-key": key }, content);
    });
    // The roles are said, because on phones the table is laid out as cards.
    const head = make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...heads));
    const caption = make("caption", { class: "sr" }, "Leases of this machine");
    const table = make("table", { role: "table" }, caption, head, make("tbody", { role: "rowgroup" }));
    const more = make("button", { type: "button", class: "quiet more", click: () => this.#showMore() });
    this.#body.replaceChildren(table, more);
    this.#showOrder();
    return table;
  }

  /** @param {string} key */
  #sort(key) {
    this.#order = { key, isDown: this.#order.key === key && !this.#order.isDown };
    this.#showOrder();
    this.#render();
  }

  #showOrder() {
    for (const head of this.#body.querySelectorAll("th")) {
      const isOrder = head.dataset.key === this.#order.key;
      set(head, "aria-sort", isOrder ? (this.#order.isDown ? "descending" : "ascending") : null);
    }
  }

  #showMore() {
    const first = this.#most;
    this.#most += 4 * PAGE;
    this.#render();
    // The button goes further down, or away: whoever pressed it goes on where the new ones begin.
    const row = this.#body.querySelector("tbody")?.rows[first];
    row?.querySelector("button")?.focus();
  }

  /** The service has a lease itself, so there is always one where the page comes from. */
  #welcome() {
    const isNew = this.#state.leases.size === 1 && [...this.#state.leases.values()].every(isService);
    const told = this.#body.querySelector(".empty");
    if (isNew && told === null) {
      this.#body.append(make("div", { class: "empty" }, ...nothing()));
    } else if (!isNew) {
      told?.remove();
    }
  }

  /** @param {number} found */
  #offerMore(found) {
    const more = /** @type {HTMLButtonElement} */ (this.#body.querySelector(".more"));
    const hidden = found - this.#most;
    more.hidden = hidden <= 0;
    write(more, `Show ${Math.min(hidden, 4 * PAGE)} more of ${count(hidden, "lease")}`);
  }

  /**
   * The row of a lease: the one that there is, unless something about the lease changed.
   * @param {string} key
   * @param {LeaseView} view
   */
  #row(key, view) {
    const shown = this.#rows.get(key);
    if (shown?.view === view) {
      return shown.row;
    }
    const row = shown?.row ?? make("tr", { role: "row", click: (/** @type {MouseEvent} */ event) => this.#click(event, key) });
    const focused = row.contains(document.activeElement) ? document.activeElement?.tagName : undefined;
    const open = () => this.#openLease(key);
    const cells = COLUMNS.map((column) => make("td", { role: "cell", "data-key": column.key, "data-name": column.name }, ...column.cell(view, open)));
    // What stays as it is stays where it is: a click on what is replaced before the button is let go is lost.
    cells.forEach((cell, index) => {
      const there = row.cells[index];
      if (there === undefined) {
        row.append(cell);
      } else if (!there.isEqualNode(cell)) {
        there.replaceWith(cell);
      }
    });
    set(row, "data-state", stateOfLease(view));
    set(row, "data-shown", view.lease.port === this.#shown);
    if (focused !== undefined && !row.contains(document.activeElement)) {
      /** @type {HTMLElement | null} */ (row.querySelector(focused))?.focus();
    }
    this.#rows.set(key, { row, view });
    return row;
  }

  /** @param {MouseEvent} event @param {string} key */
  #click(event, key) {
    const isControl = /** @type {Element} */ (event.target).closest("a, button") !== null;
    if (!isControl && getSelection()?.isCollapsed !== false) {
      this.#openLease(key);
    }
  }

  /** @param {string} key */
  #openLease(key) {
    const view = this.#state.leases.get(key);
    if (view !== undefined) {
      this.#open(view.lease.port);
    }
  }

  /** @param {Set<HTMLTableRowElement>} kept */
  #forget(kept) {
    for (const [key, { row }] of this.#rows) {
      if (!kept.has(row)) {
        this.#rows.delete(key);
      }
    }
  }
}

/** @param {LeaseView} view */
function isService({ lease }) {
  return lease.project === "portlease" && lease.service === "serve";
}

/**
 * Puts rows in order, and moves only those that are not where they belong.
 * @param {HTMLTableSectionElement | undefined} body
 * @param {HTMLTableRowElement[]} rows
 */
function place(body, rows) {
  if (body === undefined) {
    return;
  }
  const wanted = new Set(rows);
  [...body.rows].forEach((row) => wanted.has(row) || row.remove());
  rows.forEach((row, index) => {
    const there = body.rows[index];
    if (there !== row) {
      body.insertBefore(row, there ?? null);
    }
  });
}

/** @param {LeaseView} view */
function textOf(view) {
  const { lease } = view;
  const by = server(view);
  return [lease.port, lease.project, lease.service, lease.framework, condition(view), by?.kind, by?.name, by?.detail].join(" ").toLowerCase();
}

/**
 * How it stands with a lease, with a mark and in words.
 * @param {LeaseView} view
 */
export function badge(view) {
  const { health } = view;
  const latency = health?.state === "healthy" && health.latencyMicros !== undefined ? milliseconds(health.latencyMicros) : undefined;
  const mark = make("span", { class: "cell", "data-state": stateOfLease(view) });
  const note = latency === undefined ? null : make("small", { title: "how long the server took to answer" }, latency);
  return make("span", { class: "badge" }, mark, condition(view), note);
}

/** @param {number} micros */
export function milliseconds(micros) {
  return micros < 100 ? "<0.1 ms" : `${(micros / 1000).toFixed(micros < 10_000 ? 1 : 0)} ms`;
}

/** @param {LeaseView} view */
function serverCell(view) {
  const by = server(view);
  return by === undefined ? [make("span", { class: "none" }, "–")] : [make("span", { class: `server ${by.kind}` }, by.name), " ", make("small", {}, by.detail)];
}

function nothing() {
  return [
    make("p", {}, "No dev server has a port of this machine yet. Start one, and it appears here:"),
    make("pre", {}, make("code", {}, "portlease run -- npm run dev")),
  ];
}
