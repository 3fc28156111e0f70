// A table that is drawn anew when it changes, because it is small.

import { make } from "./dom.js";

/** @typedef {string | number | Node} Cell */

/**
 * A table whose first column names what the others count.
 * @param {string} caption
 * @param {string[]} heads
 * @param {Cell[][]} rows
 */
export function smallTable(caption, heads, rows) {
  const cells = (/** @type {Cell[]} */ row) => row.map((value, index) => (index === 0 ? make("th", { scope: "row" }, value) : make("td", { class: "number" }, typeof value === "number" ? value.toLocaleString("en") : value)));
  return make(
    "table",
    {},
    make("caption", { class: "sr" }, caption),
    make("thead", {}, make("tr", {}, ...heads.map((name, index) => make("th", { scope: "col", class: index > 0 && "number" }, name)))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...cells(row)))),
  );
}
