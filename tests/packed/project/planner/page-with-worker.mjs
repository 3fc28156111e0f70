// By this expression bundlers find the worker.
new Worker(new URL("./main.mjs", import.meta.url), { type: "module" });
