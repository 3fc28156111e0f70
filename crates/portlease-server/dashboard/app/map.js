// The map: a cell for each port of the ranges. Cells are made once and then only change.

import { bandOf, bands } from "./bands.js";
import { make, set, the, write } from "./dom.js";
import { rangeText } from "./ports.js";
import { owner, STATES } from "./words.js";

/** @import { PortState } from "../types.js" */
/** @import { Change, State } from "./state.js" */
/** @import { Band } from "./bands.js" */
/** @typedef {{ band: Band, cells: HTMLElement, count: HTMLElement }} Strip */

/** More strips than these are drawn lower, so that they are seen at one glance. */
const MANY = 20;

export class PortMap {
  #state;
  #open;
  #grid = the("grid");
  /** @type {Strip[]} */
  #strips = [];
  /** @type {Map<number, HTMLElement>} */
  #cells = new Map();
  /** The one cell that the tabulator reaches. */
  #current = 0;
  #shown = 0;

  /**
   * @param {State} state
   * @param {(port: number) => void} open shows who has a port
   */
  constructor(state, open) {
    this.#state = state;
    this.#open = open;
    this.#grid.addEventListener("click", (event) => this.#act(portOf(event)));
    this.#grid.addEventListener("keydown", (event) => this.#key(event));
    this.#grid.addEventListener("focusin", (event) => this.#stop(portOf(event)));
    this.#followPointer();
  }

  /** @param {Change} change */
  update({ ports, ranges }) {
    const all = this.#strips.map(({ band }) => band);
    const isNew = (/** @type {number} */ port) => !this.#cells.has(port) && this.#state.leaseAt(port) !== undefined;
    if (ranges || all.length === 0 || [...ports].some(isNew)) {
      return this.#draw();
    }
    /** @type {Set<Strip>} */
    const strips = new Set();
    for (const port of ports) {
      const cell = this.#cells.get(port);
      if (cell !== undefined) {
        this.#paint(cell, port);
        const band = bandOf(all, port);
        strips.add(/** @type {Strip} */ (this.#strips.find((strip) => strip.band === band)));
      }
    }
    strips.forEach((strip) => this.#sum(strip));
    this.#legend();
  }

  /**
   * Marks the port about which the panel tells; 0 is none.
   * @param {number} port
   */
  show(port) {
    this.#mark(this.#shown, false);
    this.#shown = port;
    this.#mark(port, true);
  }

  /** Moves the focus to a port, if it is on the map. @param {number} port */
  focus(port) {
    const cell = this.#cells.get(port);
    cell?.focus();
    return cell !== undefined;
  }

  /** @param {number} port @param {boolean} isShown */
  #mark(port, isShown) {
    const cell = this.#cells.get(port);
    if (cell !== undefined) {
      set(cell, "aria-selected", isShown ? "true" : null);
    }
  }

  #draw() {
    const hadFocus = this.#grid.contains(document.activeElement);
    const before = new Map(this.#strips.map((strip) => [stripKey(strip.band), strip]));
    const wanted = bands(this.#state.ranges, this.#state.leasedPorts());
    this.#cells = new Map();
    this.#strips = wanted.map((band) => before.get(stripKey(band)) ?? this.#strip(band));
    for (const strip of this.#strips) {
      for (const cell of strip.cells.children) {
        const port = Number(/** @type {HTMLElement} */ (cell).dataset.port);
        this.#cells.set(port, /** @type {HTMLElement} */ (cell));
        this.#paint(/** @type {HTMLElement} */ (cell), port);
      }
      this.#sum(strip);
    }
    const rows = this.#strips.map(({ cells }) => /** @type {HTMLElement} */ (cells.parentElement));
    this.#grid.replaceChildren(...rows);
    this.#grid.dataset.long = String(this.#strips.some(({ band }) => band.last - band.first === 101));
    this.#grid.dataset.dense = String(this.#strips.length > MANY);
    set(this.#grid, "aria-busy", null);
    this.#stop(this.#cells.has(this.#current) ? this.#current : (this.#strips[0]?.band.first ?? 0));
    if (hadFocus) {
      this.focus(this.#current);
    }
    this.#mark(this.#shown, true);
    this.#legend();
  }

  /** @param {Band} band @returns {Strip} */
  #strip(band) {
    const cells = make("div", { class: "cells", role: "none" });
    for (let port = band.first; port <= band.last; port += 1) {
      cells.append(make("div", { role: "gridcell", tabindex: -1, "data-port": port }));
    }
    const names = band.names.length === 0 ? "outside all ranges" : band.names.join(", ");
    const title = make("b", {}, rangeText(band.first, band.last));
    const count = make("div", { class: "sum", role: "gridcell" });
    make("div", { class: "strip", role: "row" }, make("div", { class: "name", role: "rowheader", title: names }, title, make("span", {}, names)), cells, count);
    return { band, cells, count };
  }

  /** @param {HTMLElement} cell @param {number} port */
  #paint(cell, port) {
    const state = this.#state.stateOf(port);
    const planned = this.#state.planned.get(port);
    set(cell, "data-state", state);
    set(cell, "data-planned", planned !== undefined);
    set(cell, "aria-label", this.#label(port, state, planned));
  }

  /** @param {number} port @param {PortState} state @param {string} [planned] */
  #label(port, state, planned) {
    const view = this.#state.leaseAt(port);
    const lease = view === undefined ? "" : `, ${owner(view.lease)}`;
    return `port ${port}, ${STATES[state]}${lease}${planned === undefined ? "" : `, planned for ${planned}`}`;
  }

  /** @param {Strip} strip */
  #sum({ band, count }) {
    let [leased, occupied] = [0, 0];
    for (let port = band.first; port <= band.last; port += 1) {
      const state = this.#state.stateOf(port);
      leased += Number(state === "live" || state === "leased" || state === "trouble");
      occupied += Number(state === "occupied");
    }
    const text = [leased > 0 && `${leased} leased`, occupied > 0 && `${occupied} occupied`].filter(Boolean).join(", ");
    write(count, text === "" ? "–" : text);
    set(count, "aria-label", text === "" ? "nothing leased or occupied" : text);
  }

  #legend() {
    /** @type {Map<PortState, number>} */
    const counts = new Map();
    for (const port of this.#cells.keys()) {
      const state = this.#state.stateOf(port);
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    const legend = the("legend");
    for (const [state, name] of Object.entries(STATES)) {
      let item = legend.querySelector(`[data-kind="${state}"]`);
      if (item === null) {
        item = make("li", { "data-kind": state }, make("span", { class: "cell", "data-state": state }), `${name} `, make("b"));
        legend.append(item);
      }
      write(/** @type {Element} */ (item.querySelector("b")), (counts.get(/** @type {PortState} */ (state)) ?? 0).toLocaleString("en"));
    }
  }

  /** Makes a port the one that the tabulator reaches. @param {number} port */
  #stop(port) {
    const cell = this.#cells.get(port);
    if (cell !== undefined) {
      this.#cells.get(this.#current)?.setAttribute("tabindex", "-1");
      cell.setAttribute("tabindex", "0");
      this.#current = port;
    }
  }

  /** @param {number} port */
  #act(port) {
    if (port > 0) {
      this.#open(port);
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const port = portOf(event);
    const index = this.#strips.findIndex(({ band }) => band.first <= port && port <= band.last);
    if (index < 0 || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return this.#act(port);
    }
    const target = this.#neighbour(event.key, port, index);
    if (target !== undefined) {
      event.preventDefault();
      this.focus(target);
    }
  }

  /**
   * Where a key leads.
   * @param {string} key
   * @param {number} port
   * @param {number} index of the strip
   */
  #neighbour(key, port, index) {
    const { band, cells } = /** @type {Strip} */ (this.#strips[index]);
    const above = this.#strips[index - 1];
    const below = this.#strips[index + 1];
    const columns = getComputedStyle(cells).gridTemplateColumns.split(" ").length;
    const column = (port - band.first) % columns;
    switch (key) {
      case "ArrowLeft":
        return port > band.first ? port - 1 : above?.band.last;
      case "ArrowRight":
        return port < band.last ? port + 1 : below?.band.first;
      case "ArrowDown":
        return port + columns <= band.last ? port + columns : below && Math.min(below.band.first + column, below.band.last);
      case "ArrowUp":
        return port - columns >= band.first ? port - columns : above && lastRow(above.band, columns, column);
      case "PageDown":
        return below?.band.first;
      case "PageUp":
        return above?.band.first;
      case "Home":
        return band.first;
      case "End":
        return band.last;
    }
  }

  /** Shows beside the pointer, and beside the focus, what a cell is. */
  #followPointer() {
    const tip = the("tip");
    const show = (/** @type {Event} */ event) => {
      const cell = this.#cells.get(portOf(event));
      tip.hidden = cell === undefined;
      if (cell !== undefined) {
        const [port = "", ...rest] = (cell.getAttribute("aria-label") ?? "").split(", ");
        tip.replaceChildren(make("b", {}, port.replace("port ", "")), make("span", {}, rest.join(", ")));
        const { left, top, width } = cell.getBoundingClientRect();
        const half = tip.offsetWidth / 2;
        const x = Math.min(Math.max(left + width / 2, half + 8), innerWidth - half - 8);
        tip.style.transform = `translate(${Math.round(x - half)}px, ${Math.round(top - tip.offsetHeight - 8)}px)`;
      }
    };
    const hide = () => (tip.hidden = true);
    this.#grid.addEventListener("pointerover", show);
    this.#grid.addEventListener("focusin", (event) => document.activeElement?.matches(":focus-visible") && show(event));
    this.#grid.addEventListener("pointerleave", hide);
    this.#grid.addEventListener("focusout", hide);
    addEventListener("scroll", hide, { passive: true });
  }
}

/** @param {Event} event */
function portOf(event) {
  const cell = /** @type {Element} */ (event.target).closest("[data-port]");
  return cell === null ? 0 : Number(/** @type {HTMLElement} */ (cell).dataset.port);
}

/** @param {Band} band */
function stripKey({ first, last, names }) {
  return [first, last, ...names].join();
}

/**
 * The port of the last row of a band that is in a column, or the last one before it.
 * @param {Band} band
 * @param {number} columns
 * @param {number} column
 */
function lastRow({ first, last }, columns, column) {
  const row = Math.floor((last - first) / columns);
  const port = first + row * columns + column;
  return port <= last ? port : last;
}
