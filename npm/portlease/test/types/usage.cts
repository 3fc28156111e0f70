// The same package as CommonJS has it, for the compiler to judge: it is never run.

import portlease = require("portlease");

const allocation: portlease.Allocation = portlease.reserveOrReallocatePortSync({ projectId: "shop" });
const stats: Promise<portlease.Stats> = portlease.getPortUsageStats();

export = { allocation, stats };
