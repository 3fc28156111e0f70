// What the page knows of the machine. Events change it piece by piece, and whoever shows it hears which pieces.

import { each } from "./ports.js";
import { keyOf } from "./words.js";

/** @import { Lease, LeaseStatus, LeaseView, LiveEvent, NamedRange, PortMap, PortState } from "../types.js" */
/** @typedef {{ ports: Set<number>, leases: Set<string>, ranges: boolean }} Change */

export class State {
  /** @type {NamedRange[]} */
  ranges = [];
  /** @type {Map<string, LeaseView>} */
  leases = new Map();
  /** @type {Map<number, string>} */
  #leaseOn = new Map();
  /** @type {Set<number>} */
  occupied = new Set();
  /** @type {Set<number>} */
  remembered = new Set();
  /** @type {Set<number>} */
  excluded = new Set();
  /** Ports that the planner of this page would give. @type {Map<number, string>} */
  planned = new Map();
  /** Whether there was an answer about the leases. */
  isKnown = false;

  /** @type {((change: Change) => void)[]} */
  #listeners = [];
  /** @type {Change | undefined} */
  #change;

  /**
   * Calls a function before the next picture whenever something changed, with all that did since the last.
   * @param {(change: Change) => void} listener
   */
  onChange(listener) {
    this.#listeners.push(listener);
  }

  /** @param {number} port */
  leaseAt(port) {
    const key = this.#leaseOn.get(port);
    return key === undefined ? undefined : this.leases.get(key);
  }

  /** The ports that are leased. */
  leasedPorts() {
    return this.#leaseOn.keys();
  }

  /**
   * @param {number} port
   * @returns {PortState}
   */
  stateOf(port) {
    const view = this.leaseAt(port);
    if (view !== undefined) {
      return stateOfLease(view);
    }
    if (this.occupied.has(port)) {
      return "occupied";
    }
    if (this.excluded.has(port)) {
      return "excluded";
    }
    return this.remembered.has(port) ? "remembered" : "free";
  }

  /** @param {PortMap} map */
  loadMap(map) {
    if (JSON.stringify(this.ranges) !== JSON.stringify(map.ranges)) {
      this.ranges = map.ranges;
      this.#changed().ranges = true;
    }
    this.occupied = this.#replaced(this.occupied, new Set(each(map.occupied)));
    this.remembered = this.#replaced(this.remembered, new Set(each(map.remembered)));
    this.excluded = this.#replaced(this.excluded, new Set(each(map.excluded)));
  }

  /**
   * Takes over what events do not tell about leases: who serves them, and how well.
   * @param {LeaseView[]} views
   */
  loadDetails(views) {
    for (const view of views) {
      const known = this.leases.get(keyOf(view.lease));
      if (known?.lease.generation === view.lease.generation) {
        this.#put({ ...view, lease: known.lease, status: known.status });
      }
    }
  }

  /** @param {Map<number, string>} planned */
  plan(planned) {
    const { ports } = this.#changed();
    for (const port of [...this.planned.keys(), ...planned.keys()]) {
      ports.add(port);
    }
    this.planned = planned;
  }

  /** @param {LiveEvent} event */
  apply(event) {
    switch (event.type) {
      case "snapshot":
        return this.#loadLeases(event.leases);
      case "leaseGranted":
      case "leaseChanged":
      case "leaseMoved":
        return this.#put(this.#view(event.lease, event.status));
      case "leaseEnded":
        return this.#end(event.lease);
      case "healthChanged": {
        const view = this.leases.get(keyOf(event.key));
        return view?.lease.port === event.port ? this.#put({ ...view, health: event.health }) : undefined;
      }
      case "occupancyChanged":
        for (const port of each(event.appeared)) {
          this.occupied.add(port);
          this.#changed().ports.add(port);
        }
        for (const port of each(event.gone)) {
          this.occupied.delete(port);
          this.#changed().ports.add(port);
        }
    }
  }

  /** @param {LeaseView[]} views */
  #loadLeases(views) {
    const kept = new Set(views.map(({ lease }) => keyOf(lease)));
    for (const [key, { lease }] of this.leases) {
      if (!kept.has(key)) {
        this.#remove(lease);
      }
    }
    views.forEach((view) => this.#put(view));
    this.isKnown = true;
    this.#changed();
  }

  /**
   * The lease as an event tells it, with what was known about the same grant.
   * @param {Lease} lease
   * @param {LeaseStatus} status
   * @returns {LeaseView}
   */
  #view(lease, status) {
    const known = this.leases.get(keyOf(lease));
    const isSame = known?.lease.generation === lease.generation;
    return { ...(isSame && known), lease, status };
  }

  /** @param {LeaseView} view */
  #put(view) {
    const key = keyOf(view.lease);
    const { port } = view.lease;
    const before = this.leases.get(key);
    if (before !== undefined && before.lease.port !== port) {
      this.#remove(before.lease);
    }
    this.leases.set(key, view);
    this.#leaseOn.set(port, key);
    this.remembered.delete(port);
    const change = this.#changed();
    change.leases.add(key);
    change.ports.add(port);
  }

  /** @param {Lease} lease */
  #end(lease) {
    this.#remove(lease);
    this.remembered.add(lease.port);
  }

  /** @param {Lease} lease */
  #remove(lease) {
    const key = keyOf(lease);
    this.leases.delete(key);
    // Another lease may have the port already.
    if (this.#leaseOn.get(lease.port) === key) {
      this.#leaseOn.delete(lease.port);
    }
    const change = this.#changed();
    change.leases.add(key);
    change.ports.add(lease.port);
  }

  /**
   * @param {Set<number>} before
   * @param {Set<number>} after
   */
  #replaced(before, after) {
    const { ports } = this.#changed();
    before.forEach((port) => after.has(port) || ports.add(port));
    after.forEach((port) => before.has(port) || ports.add(port));
    return after;
  }

  #changed() {
    if (this.#change === undefined) {
      this.#change = { ports: new Set(), leases: new Set(), ranges: false };
      requestAnimationFrame(() => {
        const change = /** @type {Change} */ (this.#change);
        this.#change = undefined;
        this.#listeners.forEach((listener) => listener(change));
      });
    }
    return this.#change;
  }
}

/**
 * @param {LeaseView} view
 * @returns {"live" | "leased" | "trouble"}
 */
export function stateOfLease({ status, health }) {
  if (status === "stale" || status === "hijacked" || health?.state === "unreachable") {
    return "trouble";
  }
  return status === "live" ? "live" : "leased";
}
