// The live connection: it is taken up again whenever it breaks, at the event after the last one.

import { call } from "./api.js";
import { messages } from "./sse.js";

/** @import { Connection, LiveEvent } from "../types.js" */

/** Three signs of life of the service were missed. */
const SILENCE = 50_000;
const SHORTEST_WAIT = 500;
const LONGEST_WAIT = 10_000;

/**
 * Follows the events of the service as long as the page is open. What is answered tries again at once.
 * @param {(event: LiveEvent) => void} onEvent
 * @param {(connection: Connection) => void} onConnection
 * @returns {() => void}
 */
export function follow(onEvent, onConnection) {
  let last = "";
  let wait = SHORTEST_WAIT;
  /** @type {() => void} */
  let hurry = () => {};

  const once = async () => {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENCE);
    try {
      const headers = { accept: "text/event-stream", ...(last !== "" && { "last-event-id": last }) };
      const response = await call("/api/events", { headers, signal: silence.signal });
      onConnection({ state: "live" });
      for await (const message of messages(/** @type {ReadableStream<Uint8Array>} */ (response.body))) {
        wait = SHORTEST_WAIT;
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE);
        if (message !== undefined) {
          onEvent(JSON.parse(message.data));
          last = message.id;
        }
      }
      return "The service ended the connection.";
    } catch (error) {
      return silence.signal.aborted ? "The service has not been heard of for a while." : /** @type {Error} */ (error).message;
    } finally {
      clearTimeout(timer);
    }
  };

  const forever = async () => {
    for (;;) {
      const problem = await once();
      const pause = wait * (0.75 + Math.random() / 2);
      wait = Math.min(2 * wait, LONGEST_WAIT);
      onConnection({ state: "lost", problem, retryAt: Date.now() + pause });
      await new Promise((resolve) => {
        hurry = () => resolve(undefined);
        setTimeout(resolve, pause);
      });
      onConnection({ state: "connecting" });
    }
  };

  void forever();
  addEventListener("online", () => hurry());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && hurry());
  return () => hurry();
}
