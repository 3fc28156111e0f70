// What a project of CommonJS may write. It is compiled, strictly, and not run.

import portlease = require("portlease");
import { version } from "portlease";

export const text: string = version;
export const same: string = portlease.version;

// @ts-expect-error -- A door whose types are lost would let everything through.
export const number: number = version;
