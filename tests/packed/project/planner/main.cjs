const planner = require("portlease/plan");

import("./answers.mjs").then(({ answersOf }) => console.log(answersOf(planner)));
