export * from "../dist/astro.cjs";
export { portlease as default } from "../dist/astro.cjs";
