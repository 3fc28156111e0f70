export type * from "./vite.cjs";
export { portlease, portlease as default } from "./vite.cjs";
