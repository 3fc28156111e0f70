/** What wasm-bindgen writes for `bindings/wasm`: strings go in and come out, and they are JSON. */

/** Answers a question about no host in particular. */
export function answer(question: string): string;

/** A host that is read once. */
export class Planner {
  constructor(snapshot: string);
  answer(question: string): string;
  free(): void;
}

/** Tells the functions which instance they are for. */
export function __wbg_set_wasm(exports: object): void;
