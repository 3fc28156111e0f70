export type * from "./astro.cjs";
export { portlease, portlease as default } from "./astro.cjs";
