// Reserves what it is told, says what it got, and lives until somebody ends it.

import { Allocator } from "portlease";

const { registry, wish, releases } = JSON.parse(process.argv[2]);
const allocator = Allocator.openSync({ registry });
const grant = allocator.reserveSync(wish);
console.log(JSON.stringify(grant));
if (releases === true) {
  await grant.release();
} else {
  process.stdin.resume();
}
