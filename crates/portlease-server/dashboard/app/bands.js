// The ranges as the map draws them: each port once, however many ranges it is in.

/** @import { NamedRange } from "../types.js" */
/** @typedef {{ first: number, last: number, names: string[] }} Band */

/** The longest range that is drawn whole. Of a longer one, only the hundreds are drawn in which something is. */
const LONGEST = 260;
/** What fits into one row. */
const ROW = 102;

/**
 * Ranges that overlap are one band if they fit into one row, else the later one begins a band of its own; ports outside of all of them
 * are drawn by the hundred.
 * @param {NamedRange[]} ranges
 * @param {Iterable<number>} ports ports that must be on the map
 * @returns {Band[]}
 */
export function bands(ranges, ports) {
  /** @type {Band[]} */
  const drawn = [];
  const short = ranges.filter(({ first, last }) => last - first < LONGEST);
  for (const { first, last } of short.toSorted((a, b) => a.first - b.first || b.last - a.last)) {
    const band = drawn.at(-1);
    if (band === undefined || first > band.last) {
      drawn.push({ first, last, names: [] });
    } else if (last <= band.last || last - band.first < ROW) {
      band.last = Math.max(band.last, last);
    } else {
      band.last = first - 1;
      drawn.push({ first, last, names: [] });
    }
  }
  for (const band of drawn) {
    const inside = short.filter(({ first, last }) => first <= band.last && band.first <= last);
    // Those that begin here come before those that only reach into it.
    const here = inside.toSorted((a, b) => Number(a.first < band.first) - Number(b.first < band.first));
    band.names = [...new Set(here.map(({ name }) => name))];
  }
  return [...drawn, ...hundreds(drawn, ranges, ports)].sort((a, b) => a.first - b.first);
}

/**
 * @param {Band[]} drawn
 * @param {NamedRange[]} ranges
 * @param {Iterable<number>} ports
 */
function hundreds(drawn, ranges, ports) {
  /** @type {Map<number, Band>} */
  const found = new Map();
  for (const port of ports) {
    if (bandOf(drawn, port) === undefined) {
      const start = port - (port % 100);
      const first = Math.max(start, 1, ...drawn.filter(({ last }) => last < port).map(({ last }) => last + 1));
      const last = Math.min(start + 99, 65_535, ...drawn.filter(({ first }) => first > port).map(({ first }) => first - 1));
      const names = ranges.filter((range) => range.first <= port && port <= range.last).map(({ name }) => name);
      found.set(first, found.get(first) ?? { first, last, names });
    }
  }
  return found.values();
}

/**
 * The band that has a port.
 * @param {Band[]} sorted
 * @param {number} port
 */
export function bandOf(sorted, port) {
  return sorted.find(({ first, last }) => first <= port && port <= last);
}
