new Worker(new URL("./bare.mjs", import.meta.url), { type: "module" });
