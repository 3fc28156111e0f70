// What events do not tell is asked for after them, and not more often than is useful.

/**
 * Does work soon, and at most once in a while, however often it is called for.
 * @param {number} pause in milliseconds
 * @param {() => Promise<void>} work
 * @returns {() => void}
 */
export function atMostOnceIn(pause, work) {
  let isWaiting = false;
  let last = -Infinity;
  return () => {
    if (isWaiting) {
      return;
    }
    isWaiting = true;
    setTimeout(
      async () => {
        isWaiting = false;
        last = performance.now();
        // It is asked for again after the next event, and the connection says that something is wrong.
        await work().catch(() => {});
      },
      Math.max(last + pause - performance.now(), SOON),
    );
  };
}

/** Events come in groups. */
const SOON = 150;
