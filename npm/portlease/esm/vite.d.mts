export * from "../dist/vite.cjs";
export { portlease as default } from "../dist/vite.cjs";
