// A reporter for Node's test runner that sums up as Rust's test programs do, which `cargo xtask` reads.

export default async function* tally(events) {
  let [passed, failed, ignored] = [0, 0, 0];
  for await (const { type, data } of events) {
    if (type !== "test:pass" && type !== "test:fail") {
      continue;
    }
    if (data.skip !== undefined || data.todo !== undefined) {
      ignored += 1;
    } else if (type === "test:fail") {
      failed += 1;
    } else if (data.details.type !== "suite") {
      passed += 1;
    }
  }
  yield `test result: ${failed === 0 ? "ok" : "FAILED"}. ${passed} passed; ${failed} failed; ${ignored} ignored\n`;
}
