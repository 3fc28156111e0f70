export type * from "./next.cjs";
export { withPortlease } from "./next.cjs";
