// How it stands with the connection: a mark that is always there, and words when it is lost.

import { set, the, write } from "./dom.js";

/** @import { Connection } from "../types.js" */

const NAMES = { connecting: "Connecting", live: "Live", lost: "Reconnecting" };
/** A service that is started again is back before this; nobody is told for that. */
const PATIENCE = 2500;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let alarm;

/** @param {Connection} connection */
export function showConnection(connection) {
  const mark = the("connection");
  // Between two tries nothing changes for whoever looks.
  const isTrying = connection.state === "connecting" && mark.dataset.state === "lost";
  if (!isTrying) {
    set(mark, "data-state", connection.state);
    write(the("connection-text"), NAMES[connection.state]);
  }
  if (connection.state === "live") {
    clearTimeout(alarm);
    alarm = undefined;
    the("alarm").hidden = true;
  } else if (connection.state === "lost") {
    write(the("alarm-text"), `${connection.problem} What you see is from before; the page goes on trying.`);
    alarm ??= setTimeout(() => (the("alarm").hidden = false), PATIENCE);
  }
}
