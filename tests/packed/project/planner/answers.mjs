// What each environment is asked. Bundlers take it along; a page without a bundler has the package under another address.

/** The answers of a planner, as one text. */
export function answersOf({ browserBlockedPorts, frameworks, isPortleaseError, parsePorts, plan, Planner }) {
  const host = { host: "runner-7", facts: { now: 0, occupied: [{ port: 5173 }] } };
  const shop = { projectId: "shop", framework: "vite" };
  const planner = new Planner(host);
  const first = planner.plan(shop);
  planner.apply(first.changes);
  const second = planner.plan({ ...shop, projectId: "blog", preferred: new Set([5174, 5200]) });
  return JSON.stringify({
    port: plan(host, shop).reserved.services[0].lease.port,
    same: JSON.stringify(first) === JSON.stringify(plan(JSON.stringify(host), shop)),
    next: second.reserved.services[0].lease.port,
    vite: frameworks().find(({ name }) => name === "vite").range,
    blocked: browserBlockedPorts().includes(6000),
    ranges: parsePorts("3005, 3000-3004"),
    refusal: refusalOf(() => plan(host, { projectId: "shop", port: 99_999 }), isPortleaseError),
    snapshot: refusalOf(() => new Planner("{"), isPortleaseError),
  });
}

function refusalOf(work, isPortleaseError) {
  try {
    return work();
  } catch (error) {
    return isPortleaseError(error) ? error.code : String(error);
  }
}
