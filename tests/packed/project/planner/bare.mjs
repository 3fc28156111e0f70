// The program where no bundler knows where the package is.

import * as planner from "/node_modules/portlease/dist/plan.mjs";

import { answersOf } from "./answers.mjs";

await planner.init();
console.log(answersOf(planner));
