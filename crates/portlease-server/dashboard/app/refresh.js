// What events do not tell is asked for after them, and not more often than is useful.

import { Problem } from "./api.js";

/**
 * Does work soon, and at most once in a while, however often it is called for. What the service refuses for now is tried again.
 * @param {number} pause in milliseconds
 * @param {() => Promise<void>} work
 * @returns {() => void}
 */
export function atMostOnceIn(pause, work) {
  let isWaiting = false;
  let last = -Infinity;
  const call = () => {
    if (!isWaiting) {
      isWaiting = true;
      setTimeout(run, Math.max(last + pause - performance.now(), SOON));
    }
  };
  const run = async () => {
    isWaiting = false;
    last = performance.now();
    await work().catch((error) => {
      // A service that does not answer at all is asked when it does again.
      if (error instanceof Problem && error.status !== 0) {
        call();
      }
    });
  };
  return call;
}

/** Events come in groups. */
const SOON = 150;
