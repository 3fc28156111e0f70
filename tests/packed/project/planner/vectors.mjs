// The library of the planner as it is, without the functions around it: the vectors are texts, and some are no questions.

/** How this library answers, given what wasm-bindgen wrote for it and its bytes. */
export async function answersOf(glue, bytes) {
  const { instance } = await WebAssembly.instantiate(bytes, { "./portlease_wasm_bg.js": glue });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start?.();
  return (snapshot, asks) => {
    if (snapshot === undefined) {
      return asks.map((question) => glue.answer(question));
    }
    let planner;
    try {
      planner = new glue.Planner(snapshot);
    } catch (problem) {
      return asks.map(() => problem);
    }
    const answers = asks.map((question) => planner.answer(question));
    planner.free();
    return answers;
  };
}
