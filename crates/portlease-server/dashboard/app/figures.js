// Figures: what happened since the registry was made, which ranges are full, and which ports are in demand.

import { make, the } from "./dom.js";
import { rangeText } from "./ports.js";
import { smallTable } from "./small-table.js";

/** @import { Counters, RangeUsage, Stats } from "../types.js" */

/** @type {[key: keyof Counters, name: string][]} */
const COUNTERS = [
  ["grants", "grants"],
  ["reuses", "reuses"],
  ["conflicts", "conflicts"],
  ["moves", "moves"],
  ["refusals", "refusals"],
  ["releases", "releases"],
  ["swept", "cleaned up"],
];
const MOST = 5;

/** @param {Stats} stats */
export function showFigures({ counters, ranges, busiest }) {
  the("counters").replaceChildren(
    ...COUNTERS.map(([key, name]) => make("div", {}, make("dt", {}, name), make("dd", {}, counters[key].toLocaleString("en")))),
  );
  const full = fullest(ranges);
  the("fullest").replaceChildren(
    full.length === 0 ? make("p", { class: "note" }, "All ranges are empty.") : smallTable("Fullest ranges", ["Range", "Leased", "Occupied", "Free"], full.map(({ range, ...usage }) => [rangeText(...range), usage.leased, usage.occupied, usage.free])),
  );
  the("busiest").replaceChildren(
    busiest.length === 0 ? make("p", { class: "note" }, "Nothing was granted yet.") : smallTable("Ports granted most often", ["Port", "Grants"], busiest.slice(0, MOST).map(({ port, grants }) => [port, grants])),
  );
}

/**
 * The ranges in which most is taken, each once, whatever frameworks share it.
 * @param {RangeUsage[]} ranges
 */
function fullest(ranges) {
  const share = (/** @type {RangeUsage} */ { leased, occupied, free }) => (leased + occupied) / Math.max(leased + occupied + free, 1);
  const unique = new Map(ranges.map((usage) => [usage.range.join(), usage]));
  return [...unique.values()]
    .filter((usage) => share(usage) > 0)
    .sort((a, b) => share(b) - share(a))
    .slice(0, MOST);
}
