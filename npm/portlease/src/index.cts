import { native } from "./native.cjs";

/** The version of Portlease. */
export const version: string = native.version();
