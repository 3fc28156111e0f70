// Times as people say them, and kept true while the page is open.

import { make, write } from "./dom.js";

/** @type {[unit: string, milliseconds: number][]} */
const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
];

/**
 * How long ago something was, such as `3 min`. Clocks of two machines may differ, so it is never negative.
 * @param {number} then
 * @param {number} [now]
 */
export function age(then, now = Date.now()) {
  const passed = now - then;
  const [unit, length] = UNITS.find(([, length]) => passed >= length) ?? ["s", Infinity];
  return `${Math.max(Math.floor(passed / length), 0)} ${unit}`;
}

/**
 * An element that tells how long ago something was.
 * @param {number} then
 */
export function ago(then) {
  const moment = new Date(then);
  const attributes = { datetime: moment.toISOString(), title: moment.toLocaleString(), "data-then": then };
  return make("time", attributes, age(then));
}

/** Keeps all of them true. */
export function keepTime() {
  setInterval(() => {
    const now = Date.now();
    for (const element of document.querySelectorAll("time[data-then]")) {
      write(element, age(Number(/** @type {HTMLElement} */ (element).dataset.then), now));
    }
  }, 5000);
}
