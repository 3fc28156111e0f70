// A trace as a list that people read.

import { make } from "./dom.js";
import { rangeText } from "./ports.js";
import { GOOD, outcome } from "./words.js";

/** @import { Step, Trace } from "../types.js" */

/** The ways by which ports are found. @type {Record<string, string>} */
export const TIERS = {
  preferred: "asked for",
  remembered: "had before",
  default: "the default",
  scan: "in the range",
  spillover: "in the next range",
  emergency: "in the last resort",
};

/** More lines than these say nothing more. */
const MOST = 40;

/**
 * The steps of a trace, neighbouring ones with the same outcome as one.
 * @param {Trace} trace
 * @param {boolean} [isOfSeveral] whether the services are named
 */
export function traceList(trace, isOfSeveral = false) {
  const steps = merged(trace);
  const items = steps.slice(0, MOST).map(({ step, first, last, text }) =>
    make(
      "li",
      { "data-verdict": step.verdict, "data-good": GOOD.has(step.verdict) },
      make("b", {}, rangeText(first, last)),
      " ",
      make("span", {}, text),
      " ",
      make("small", {}, isOfSeveral ? `${step.service}, ${TIERS[step.tier] ?? step.tier}` : (TIERS[step.tier] ?? step.tier)),
    ),
  );
  if (steps.length > MOST) {
    items.push(make("li", {}, `and ${steps.length - MOST} more`));
  }
  return make("ol", { class: "trace" }, ...items);
}

/** @param {Trace} trace */
function merged(trace) {
  /** @type {{ step: Step, first: number, last: number, text: string }[]} */
  const found = [];
  for (const step of trace) {
    const text = outcome(step);
    const [first, last] = step.ports;
    const before = found.at(-1);
    if (before?.text === text && before.step.service === step.service && before.step.tier === step.tier && before.last + 1 === first) {
      before.last = last;
    } else {
      found.push({ step, first, last, text });
    }
  }
  return found;
}
