// The planner: a form for the services of a project, and what they would get.

import { decide, planning } from "./deciding.js";
import { make, the, write } from "./dom.js";
import { rangeText, readRange } from "./ports.js";
import { traceList, TIERS } from "./trace.js";
import { urlOf } from "./words.js";

/** @import { Explanation, NamedRange, PlannedService } from "../types.js" */
/** @import { State } from "./state.js" */

/** What comes to mind first, for the services that are added. */
const NAMES = ["web", "api", "worker", "docs", "storybook", "admin"];

export class Planner {
  #state;
  #services = the("plan-services");
  #answer = the("plan-answer");

  /** @param {State} state */
  constructor(state) {
    this.#state = state;
    const form = the("plan", HTMLFormElement);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#plan();
    });
    the("plan-add").addEventListener("click", () => this.#add("").querySelector("input")?.focus());
    this.#add("next");
    this.#add("3000-3100");
    this.#clear();
    void planning().then((found) => {
      if (found === undefined) {
        write(the("planner-note"), "What would these services get? This build has no planner of its own (`cargo xtask wasm` makes it), so the service decides. Nothing is leased.");
      }
    });
  }

  /** @param {NamedRange[]} ranges */
  offer(ranges) {
    const names = ranges.map(({ name, first, last }) => make("option", { value: name }, rangeText(first, last)));
    the("plan-places").replaceChildren(...names);
  }

  /** @param {string} place */
  #add(place) {
    const number = this.#services.childElementCount;
    const remove = make("button", { type: "button", class: "quiet square", click: () => this.#remove(row) }, "✕");
    const row = make(
      "fieldset",
      { class: "service-row" },
      make("legend", { class: "sr" }),
      make("label", { class: "field" }, make("span", {}, "Service"), make("input", { name: "service", value: NAMES[number] ?? `service-${number + 1}`, required: true, maxlength: 1024, spellcheck: "false" })),
      make("label", { class: "field" }, make("span", {}, "Framework or range"), make("input", { name: "place", value: place, list: "plan-places", placeholder: "next, 4000-4100", spellcheck: "false" })),
      remove,
    );
    this.#services.append(row);
    this.#number();
    return row;
  }

  /** @param {HTMLElement} row */
  #remove(row) {
    const next = /** @type {Element | null} */ (row.nextElementSibling ?? row.previousElementSibling);
    row.remove();
    this.#number();
    next?.querySelector("input")?.focus();
  }

  #number() {
    const rows = [...this.#services.children];
    rows.forEach((row, index) => {
      write(/** @type {Element} */ (row.querySelector("legend")), `Service ${index + 1}`);
      const remove = /** @type {HTMLButtonElement} */ (row.querySelector("button"));
      remove.ariaLabel = `Remove service ${index + 1}`;
      remove.disabled = rows.length === 1;
    });
  }

  async #plan() {
    const projectId = the("plan-project", HTMLInputElement).value.trim();
    const services = [...this.#services.children].map(serviceOf);
    this.#answer.setAttribute("aria-busy", "true");
    try {
      const { explanation, sentence, place } = await decide({ projectId, services });
      this.#show(explanation, sentence, place);
    } catch (error) {
      this.#state.plan(new Map());
      this.#answer.replaceChildren(make("p", { class: "problem" }, /** @type {Error} */ (error).message));
    } finally {
      this.#answer.removeAttribute("aria-busy");
    }
  }

  /**
   * @param {Explanation} explanation
   * @param {string | undefined} sentence
   * @param {string} place
   */
  #show({ reserved, refusal, trace }, sentence, place) {
    const granted = reserved?.services ?? [];
    this.#state.plan(new Map(granted.map(({ service, lease }) => [lease.port, service])));
    const content =
      !refusal
        ? make("table", {}, make("caption", { class: "sr" }, "The ports that the services would get"), head(), make("tbody", {}, ...granted.map(row)))
        : make("p", { class: "problem" }, sentence ?? `The request would be refused: ${refusal.code}.`);
    const moves = (reserved?.moves ?? []).map(({ project, service, reason }) => make("p", { class: "note" }, `${project} ${service} would make way: ${reason}`));
    const clear = make("button", { type: "button", class: "quiet", click: () => this.#clear() }, "Clear");
    this.#answer.replaceChildren(content, ...moves, make("h3", {}, "Why"), traceList(trace, true), make("div", { class: "foot" }, make("p", { class: "note" }, place), clear));
  }

  #clear() {
    this.#state.plan(new Map());
    this.#answer.replaceChildren(make("p", { class: "note" }, "The answer is decided by the same code that grants ports, on what the machine looks like now. Planned ports are marked on the map."));
  }
}

/** @param {Element} row @returns {PlannedService} */
function serviceOf(row) {
  const text = (/** @type {string} */ name) => /** @type {HTMLInputElement} */ (row.querySelector(`input[name="${name}"]`)).value.trim();
  const place = text("place");
  const range = readRange(place);
  if (range !== undefined) {
    return { service: text("service"), basePort: range[0], maxPort: range[1] };
  }
  return { service: text("service"), ...(place !== "" && { framework: place }) };
}

function head() {
  const names = ["Service", "Port", "How", "Address"];
  return make("thead", {}, make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name))));
}

/** @param {NonNullable<Explanation["reserved"]>["services"][number]} granted */
function row({ service, outcome, lease }) {
  const how = outcome === "new" ? (TIERS[lease.tier] ?? lease.tier) : outcome;
  return make(
    "tr",
    {},
    make("th", { scope: "row" }, service),
    make("td", { class: "number" }, lease.port),
    make("td", {}, how),
    make("td", {}, make("code", {}, urlOf(lease))),
  );
}
