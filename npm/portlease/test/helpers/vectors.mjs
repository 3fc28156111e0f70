// The vectors that Rust, Node.js and WASM have to answer alike, in whatever environment: nothing is imported here.

/**
 * Asks all questions, and answers how many cases there were. The first answer that differs by a byte is an error.
 *
 * `index` says how many cases each file has, `read` answers the text of a file, and `answersOf(snapshot, asks)` those of a planner.
 */
export async function check(index, read, answersOf) {
  let count = 0;
  for (const [name, expected] of Object.entries(index)) {
    const cases = JSON.parse(await read(name));
    if (cases.length !== expected) {
      throw new Error(`${name} has ${cases.length} cases, and ${expected} by the index`);
    }
    for (const { name, snapshot, asks, answers } of cases) {
      const given = answersOf(snapshot, asks);
      const wrong = answers.findIndex((answer, at) => given[at] !== answer);
      if (wrong !== -1 || given.length !== answers.length || asks.length !== answers.length) {
        throw new Error(`${name}: ${asks[wrong]} was answered\n${given[wrong]}\nand not\n${answers[wrong]}`);
      }
      count += 1;
    }
  }
  return count;
}

/** How many cases there are. */
export function total(index) {
  return Object.values(index).reduce((sum, count) => sum + count, 0);
}
