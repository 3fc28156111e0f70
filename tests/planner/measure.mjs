// How long a plan takes, in whatever runs this function. It is sent to a page as text, so it uses nothing around it.

/** The times of single plans in microseconds: by a planner that stays, and by `plan`, which reads the snapshot each time. */
export async function measure({ address, snapshot, stays, once }) {
  const { init, plan, Planner } = await import(address);
  await init();
  const planner = new Planner(snapshot);
  const wish = (turn) => ({ projectId: `/home/ada/projects/new-${turn}`, framework: "next" });
  const timed = (count, work) => {
    const times = [];
    // The first tenth is for the compilers.
    for (let turn = -Math.ceil(count / 10); turn < count; turn += 1) {
      const asked = wish(turn);
      const start = performance.now();
      work(asked);
      const time = performance.now() - start;
      if (turn >= 0) {
        times.push(1000 * time);
      }
    }
    return times;
  };
  const times = {
    stays: timed(stays, (asked) => planner.plan(asked)),
    once: timed(once, (asked) => plan(snapshot, asked)),
  };
  const answer = JSON.stringify(planner.plan(wish(0)));
  planner.free();
  return { times, answer };
}
