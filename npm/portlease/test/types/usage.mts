// What users write, for the compiler to judge: it is never run.

import {
  type Allocation,
  Allocator,
  allocateMultiplePorts,
  allocatePort,
  findAvailablePortInRange,
  getPortFromEnvOrAllocate,
  Grant,
  type Lease,
  isPortleaseError,
  PortleaseError,
  reserveOrReallocatePort,
  reserveOrReallocatePortSync,
} from "portlease";

const { port, framework }: { port: number; framework: string } = await reserveOrReallocatePort({
  projectId: "shop",
  projectType: "nextjs",
  runCommand: "next dev",
  detectedFramework: "next",
  preferred: new Set([port0()]),
  exclude: [4000, "4010-4020", [4030, 4040]],
});
function port0(): number {
  return 3000;
}
const held: Grant = await reserveOrReallocatePort({ projectId: "shop", hold: true });
const plain: Allocation = reserveOrReallocatePortSync({ cwd: new URL("file:///shop/"), hold: false });
const previous: number | undefined = plain.previousPort;
const found: number | null = await findAvailablePortInRange("vite", 5200);
const ofContainer: number = await allocatePort("56", true);
const allocated: number = await allocatePort({ basePort: 5000, maxPort: 5100, serviceName: "main-server" });
const several: Record<string, number> = await allocateMultiplePorts([{ serviceName: "web" }, { service: "api" }]);
const fromEnvironment: number = await getPortFromEnvOrAllocate("PORT", 5000, "main-server");

const allocator: Allocator = await Allocator.open({ registry: "memory:" });
const elsewhere: number | undefined = (await allocator.reserveOn("worker-7", { projectId: "shop" }, { timeout: 1000 }))[0]?.lease.port;
const everywhere: Record<string, Lease[]> = await allocator.listEverywhere({ host: "worker-7" });
const silentFor: number | undefined = (await allocator.hosts())[0]?.silentForSeconds;
const grants = await allocator.reserveAll({ services: [{ service: "web", requires: ["https"] }] });
const grant: Grant | undefined = grants.get("web");
const lease: Lease | undefined = await grant?.confirmWhenListening({ timeout: 1000, signal: AbortSignal.timeout(1000) });
const holder: number | undefined = lease?.holder?.kind === "process" ? lease.holder.pid : undefined;

// @ts-expect-error: the key is called preferred
await reserveOrReallocatePort({ prefered: [4000] });
// @ts-expect-error: a port is a number
await reserveOrReallocatePort({ port: "4000" });
// @ts-expect-error: several services are for reserveAll
await allocator.reserve({ services: [] });

try {
  await allocator.release(held);
} catch (error) {
  if (isPortleaseError(error, "NOT_OWNER")) {
    const known: PortleaseError = error;
    console.error(known.code, known.details["holder"]);
  }
}

export { allocated, elsewhere, everywhere, found, framework, fromEnvironment, holder, ofContainer, port, previous, several, silentFor };
