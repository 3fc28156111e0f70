// The program of Node.js, of pages and of workers. Without `await`, which not all forms of bundles know outside of functions.

import * as planner from "portlease/plan";

import { answersOf } from "./answers.mjs";

planner.init().then(() => console.log(answersOf(planner)));
