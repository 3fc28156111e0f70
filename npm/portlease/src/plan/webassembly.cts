/** WebAssembly is everywhere where this runs, but not in the types of everybody who compiles with it. */

interface WebAssembly {
  Module: new (bytes: object) => object;
  Instance: new (module: object, imports: object) => { exports: { __wbindgen_start?: () => void } };
  compile(bytes: object): Promise<object>;
}

export const { Module, Instance, compile } = (globalThis as unknown as { WebAssembly: WebAssembly }).WebAssembly;
