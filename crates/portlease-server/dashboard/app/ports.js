// Sets of ports, as JSON says them and as the page counts them.

/** @import { PortSet } from "../types.js" */

/**
 * The ports of a set, one by one.
 * @param {PortSet} set
 * @returns {Generator<number>}
 */
export function* each(set) {
  for (const part of set) {
    const [first, last] = typeof part === "number" ? [part, part] : part;
    for (let port = first; port <= last; port += 1) {
      yield port;
    }
  }
}

/** @param {number} first @param {number} last */
export function rangeText(first, last) {
  return first === last ? `${first}` : `${first}–${last}`;
}

/**
 * Reads what people type: `3000-3100` or `3000`, with any dash.
 * @param {string} text
 * @returns {[number, number] | undefined}
 */
export function readRange(text) {
  const found = /^\s*(\d{1,5})\s*(?:[-–—]\s*(\d{1,5})\s*)?$/.exec(text);
  if (found === null) {
    return undefined;
  }
  const first = Number(found[1]);
  const last = Number(found[2] ?? found[1]);
  return first >= 1 && first <= last && last <= 65_535 ? [first, last] : undefined;
}
