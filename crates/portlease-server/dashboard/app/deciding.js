// Deciding what services would get: by the planner in this page, or by the service when this build has none.

import { get, Problem, send } from "./api.js";

/** @import { Explanation, PlannedWish, Planning } from "../types.js" */
/** @typedef {{ explanation: Explanation, sentence?: string, place: string }} Decision */

const MODULE = "/plan/plan.mjs";
const LIBRARY = "/plan/portlease.wasm";

/** @type {Promise<Planning | undefined> | undefined} */
let loading;

/** The planner, or nothing when the program was built without it. */
export function planning() {
  loading ??= load();
  return loading;
}

/** @returns {Promise<Planning | undefined>} */
async function load() {
  const planning = await import(MODULE);
  if (planning.isMissing === true) {
    return undefined;
  }
  await planning.init(LIBRARY);
  return planning;
}

/**
 * @param {PlannedWish} wish
 * @returns {Promise<Decision>}
 */
export async function decide(wish) {
  const found = await planning();
  if (found === undefined) {
    return { explanation: await send("/api/explain", wish), place: "Decided by the service." };
  }
  const snapshot = await get("/api/snapshot");
  const start = performance.now();
  const planner = new found.Planner(snapshot);
  try {
    const explanation = planner.explain(wish);
    const time = performance.now() - start;
    const place = `Decided in this page, in ${time < 10 ? time.toFixed(1) : Math.round(time)} ms.`;
    return { explanation, place, ...(explanation.refusal && { sentence: sentence(() => planner.plan(wish)) }) };
  } catch (error) {
    throw new Problem(422, { detail: /** @type {Error} */ (error).message });
  } finally {
    planner.free();
  }
}

/**
 * What is said about a refusal: only who is refused hears it.
 * @param {() => unknown} refused
 */
function sentence(refused) {
  try {
    refused();
    return "";
  } catch (error) {
    return /** @type {Error} */ (error).message;
  }
}
