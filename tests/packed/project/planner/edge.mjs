// A worker of an edge runtime.

import * as planner from "portlease/plan";

import { answersOf } from "./answers.mjs";

export default { fetch: () => new Response(answersOf(planner)) };
