// What just happened, in sentences: a short list for those who look, and announced for those who listen.

import { make, the, write } from "./dom.js";
import { ago } from "./time.js";
import { count, keyOf, owner } from "./words.js";

/** @import { LiveEvent } from "../types.js" */
/** @import { State } from "./state.js" */

/** How many stay in the list. */
const KEPT = 6;
/** More at once are told by their number. */
const MOST_AT_ONCE = 3;
const PAUSE = 800;

/** @type {string[]} */
let untold = [];

/**
 * What an event says to people, if anything; it is asked before the event is applied.
 * @param {LiveEvent} event
 * @param {State} state
 * @returns {string | undefined}
 */
export function sentence(event, state) {
  switch (event.type) {
    case "leaseGranted":
      return `${owner(event.lease)} got port ${event.lease.port}`;
    case "leaseMoved":
      return `${owner(event.lease)} moved from port ${event.from} to ${event.lease.port}`;
    case "leaseEnded":
      return `${owner(event.lease)} gave back port ${event.lease.port}`;
    case "leaseChanged": {
      const before = state.leases.get(keyOf(event.lease))?.status;
      return before === event.status ? undefined : `${owner(event.lease)} is ${event.status} on port ${event.lease.port}`;
    }
    case "healthChanged":
      return `${owner(event.key)} on port ${event.port} is ${event.health.state}`;
    case "containerAppeared":
      return `container ${event.container.name} appeared`;
    case "containerGone":
      return `container ${event.container.name} is gone`;
  }
  return undefined;
}

/** @param {string} text */
export function tell(text) {
  const news = the("news");
  news.querySelector(".none")?.remove();
  news.prepend(make("li", {}, ago(Date.now()), " ", make("span", {}, text)));
  while (news.childElementCount > KEPT) {
    news.lastElementChild?.remove();
  }
  untold.push(text);
  if (untold.length === 1) {
    setTimeout(announce, PAUSE);
  }
}

function announce() {
  write(the("announcer"), untold.length > MOST_AT_ONCE ? count(untold.length, "change") : untold.join(". "));
  untold = [];
}

export function tellNothing() {
  the("news").replaceChildren(make("li", { class: "none" }, "Nothing has happened since this page was opened."));
}
