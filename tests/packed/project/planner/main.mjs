// The program of Node.js, of pages and of workers.

import * as planner from "portlease/plan";

import { answersOf } from "./answers.mjs";

console.log(answersOf(planner));
