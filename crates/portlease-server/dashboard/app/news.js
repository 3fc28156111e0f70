// What just happened, in sentences: a short list for those who look, and announced for those who listen.

import { make, the, write } from "./dom.js";
import { ago } from "./time.js";
import { count, keyOf, owner } from "./words.js";

/** @import { Lease, LeaseStatus, LiveEvent } from "../types.js" */
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
      return before === event.status ? undefined : changed(event.lease, event.status);
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

/**
 * What a lease has become.
 * @param {Lease} lease
 * @param {LeaseStatus} status
 */
function changed(lease, status) {
  switch (status) {
    case "live":
      return `${owner(lease)} is live on port ${lease.port}`;
    case "stale":
      return `the process of ${owner(lease)} on port ${lease.port} is gone`;
    case "hijacked":
      return `somebody else is on port ${lease.port} of ${owner(lease)}`;
    case "idle":
      // While a port is being granted it is held, and nothing has ended when it is let go.
      return lease.state === "live" ? `${owner(lease)} does not listen on port ${lease.port} any more` : undefined;
  }
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
