// The program where the bundler does not find the library by itself.

import * as planner from "portlease/plan";
import library from "portlease/plan.wasm";

import { answersOf } from "./answers.mjs";

planner.init(library).then(() => console.log(answersOf(planner)));
