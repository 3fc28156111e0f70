// The hosts that share the registry, where there are others than this one: how many leases each has, and when it was last heard of.

import { make, the } from "./dom.js";
import { smallTable } from "./small-table.js";
import { age, ago } from "./time.js";

/** @import { HostStatus } from "../types.js" */

/** @param {HostStatus[]} hosts */
export function showHosts(hosts) {
  const isAlone = hosts.length < 2;
  the("hosts").hidden = isAlone;
  the("to-hosts").hidden = isAlone;
  const rows = hosts.map(({ host, leases, silentForSeconds, givesUpAfterSeconds }) => [host, leases, heard(silentForSeconds), ends(givesUpAfterSeconds)]);
  the("hosts-list").replaceChildren(smallTable("Hosts", ["Host", "Leases", "Last heard of", "Leases end"], rows));
}

/**
 * When its runner reported.
 * @param {number | undefined} seconds
 */
function heard(seconds) {
  return seconds === undefined ? "no runner" : make("span", {}, ago(Date.now() - seconds * 1000), " ago");
}

/**
 * After which silence it is given up.
 * @param {number | undefined} seconds
 */
function ends(seconds) {
  return seconds === undefined ? "never by silence" : `after ${age(0, seconds * 1000)} of silence`;
}
