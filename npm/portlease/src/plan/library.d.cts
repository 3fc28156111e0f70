/** The library of `bindings/wasm`; `scripts/plan.mjs` writes it for each kind of environment. */

/** The library, ready to be instantiated. */
export function library(): object;
