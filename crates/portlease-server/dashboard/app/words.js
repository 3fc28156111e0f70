// What things are called.

/** @import { Capability, Holder, Lease, LeaseKey, LeaseView, Party, PortState, Step, Verdict } from "../types.js" */

/**
 * One text for each lease.
 * @param {LeaseKey | Lease} key
 */
export function keyOf({ project, service, instance }) {
  return `${project}\n${service}\n${instance ?? 1}`;
}

/** The kinds of cells, in the order of the legend. @type {Record<PortState, string>} */
export const STATES = {
  live: "live",
  leased: "leased",
  trouble: "in trouble",
  occupied: "occupied",
  remembered: "remembered",
  excluded: "excluded",
  free: "free",
};

/**
 * A project is usually named by its path, whose end tells most.
 * @param {string} project
 */
export function shortProject(project) {
  return project.split(/[\\/]/).findLast((part) => part !== "") ?? project;
}

/**
 * Who a lease belongs to, as one says it: `shop web`, or `shop web (2)` for a second instance.
 * @param {LeaseKey | Lease} key
 */
export function owner({ project, service, instance }) {
  return `${shortProject(project)} ${service}${(instance ?? 1) > 1 ? ` (${instance})` : ""}`;
}

/**
 * How it stands with a lease, in few words.
 * @param {LeaseView} view
 */
export function condition({ status, health }) {
  if (health?.state === "unreachable" && status !== "hijacked") {
    return "unreachable";
  }
  return status === "idle" ? "leased" : status;
}

/** What each condition means, and what to do. @type {Record<string, string>} */
export const CONDITIONS = {
  live: "The server listens.",
  leased: "The port is kept for its owner; nobody listens yet.",
  stale: "The process that had it is gone. Clean up to give the port back.",
  hijacked: "Somebody else listens on the port.",
  unreachable: "Somebody has the port, but does not answer.",
};

/**
 * The process or container that serves a lease.
 * @param {LeaseView} view
 */
export function server({ lease, process, container, occupant }) {
  if (container !== undefined) {
    return { kind: "container", name: container.name, detail: `${container.engine}, ${container.state}` };
  }
  const holder = lease.listener ?? lease.holder;
  if (holder?.kind === "container") {
    return { kind: "container", name: occupant?.name ?? holder.id.slice(0, 12), detail: holder.engine };
  }
  const pid = process?.pid ?? holder?.pid;
  const name = process?.name ?? occupant?.name;
  return pid === undefined ? undefined : { kind: "process", name: name ?? "process", detail: `${pid}` };
}

/**
 * Where a lease is opened.
 * @param {{ port: number, requires?: Capability[] }} lease
 */
export function urlOf({ port, requires }) {
  const here = location.hostname;
  const isLoopback = here === "localhost" || here === "[::1]" || here.startsWith("127.") || here.endsWith(".localhost");
  return `${requires?.includes("https") ? "https" : "http"}://${isLoopback ? "localhost" : here}:${port}`;
}

/** What became of a candidate. @type {Record<Verdict, string>} */
const VERDICTS = {
  granted: "granted",
  yielded: "given up by",
  excluded: "excluded by the configuration",
  pooled: "of another pool",
  browserBlocked: "blocked by browsers",
  systemReserved: "kept by the system",
  privileged: "needs privileges",
  claimed: "given to another service of the request",
  leased: "leased to",
  occupied: "in use",
  remembered: "remembered for",
  reclaimed: "taken back from",
  various: "taken for various reasons",
};

/** The same, where it is said by whom. @type {Partial<Record<Verdict, string>>} */
const VERDICTS_WITH = { claimed: "given to", occupied: "in use by" };

/** The verdicts by which somebody got a port. @type {Set<Verdict>} */
export const GOOD = new Set(["granted", "yielded", "reclaimed"]);

/**
 * What became of the ports of a step.
 * @param {Step} step
 */
export function outcome({ verdict, by = [] }) {
  const who = by.map(party).join(", ");
  if (who === "") {
    return VERDICTS[verdict].replace(/ (to|by|for|from)$/, "");
  }
  return `${VERDICTS_WITH[verdict] ?? VERDICTS[verdict]} ${who}`;
}

/** @param {Party} party */
function party(party) {
  switch (party.kind) {
    case "service":
      return owner(party);
    case "pool":
      return `pool ${party.name}`;
    default: {
      const name = party.name ?? "a program";
      return party.holder === undefined ? name : `${name} (${holder(party.holder)})`;
    }
  }
}

/** @param {Holder} holder */
export function holder(holder) {
  return holder.kind === "process" ? `pid ${holder.pid}` : `${holder.engine} ${holder.id.slice(0, 12)}`;
}

/**
 * A number and its noun.
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}
