// All vectors in a page. No door leads to the library itself, so a bundler brings what is written for it.

import * as glue from "../node_modules/portlease/dist/plan/glue.cjs";
import { check } from "../test/helpers/vectors.mjs";

import { answersOf } from "./vectors.mjs";

const fetched = async (path) => {
  const response = await fetch(path);
  if (!response.ok) {
    throw new Error(`${path} is answered with ${response.status}`);
  }
  return response;
};
const text = async (name) => (await fetched(`/vectors/${name}`)).text();

const library = await fetched("/node_modules/portlease/dist/plan/portlease.wasm");
const answers = await answersOf(glue, await library.arrayBuffer());
console.log(await check(JSON.parse(await text("index.json")), text, answers));
