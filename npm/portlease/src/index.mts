export { version } from "./index.cjs";
