// What a project that is an ES module may write. It is compiled, strictly, and not run.

import { version } from "portlease";

export const text: string = version;

// @ts-expect-error -- A door whose types are lost would let everything through.
export const number: number = version;
