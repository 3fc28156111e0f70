// The door for `import` in Node.js. In one sentence, unlike the other doors, so that bundlers for servers find what stands behind it.
export {
  applyChanges,
  browserBlockedPorts,
  difference,
  explain,
  formatPorts,
  frameworks,
  init,
  intersection,
  isPortleaseError,
  parsePorts,
  plan,
  Planner,
  PortleaseError,
  presets,
  union,
} from "../dist/plan.cjs";
