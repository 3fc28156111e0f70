// What a project of ES modules may write. It is compiled, strictly, and not run.

import {
  Allocator,
  allocateMultiplePorts,
  allocatePort,
  findAvailablePortInRange,
  getPortFromEnvOrAllocate,
  type Grant,
  isPortAvailable,
  isPortleaseError,
  PortleaseError,
  reserveOrReallocatePort,
  reserveOrReallocatePortSync,
  version,
} from "portlease";
import astro from "portlease/astro";
import { withPortlease } from "portlease/next";
import { applyChanges, type HostSnapshot, init, plan, Planner, type PortSet, union } from "portlease/plan";
import vite, { type PluginOptions, portlease } from "portlease/vite";
import "portlease/register";

export const text: string = version;

// @ts-expect-error -- A door whose types are lost would let everything through.
export const number: number = version;

export async function functions(): Promise<number[]> {
  const { port, framework } = await reserveOrReallocatePort({
    projectId: "shop",
    projectType: "nextjs",
    runCommand: "next dev",
    detectedFramework: "nextjs",
  });
  const detected: string | undefined | null = framework;
  const held: Grant = await reserveOrReallocatePort({ projectId: "shop", hold: true });
  const free: boolean = await isPortAvailable(port, "127.0.0.1");
  const found: number | null = await findAvailablePortInRange("vite", 5173);
  const api: number = await allocatePort({ basePort: 4000, maxPort: 4100, serviceName: "api" });
  const main: number = await getPortFromEnvOrAllocate("PORT", 5000, "main-server");
  const several = await allocateMultiplePorts(new Set([{ basePort: 4000, serviceName: "api" }]));
  // @ts-expect-error -- It may be missing, and a strict project is told.
  const one: number = several["api"];
  // @ts-expect-error -- No port is a string.
  reserveOrReallocatePortSync({ projectId: "shop", port: "3000" });
  // @ts-expect-error -- A misspelt key is found by the compiler already.
  reserveOrReallocatePortSync({ projectID: "shop" });
  return [port, held.port, found ?? 0, api, main, one, Number(free), detected?.length ?? 0];
}

export async function allocator(): Promise<string> {
  const opened = await Allocator.open();
  const grant = await opened.reserve({ projectId: "shop", preferred: new Set([3000, 3001]) });
  try {
    grant.openGate();
    await grant.confirmWhenListening({ timeout: 1000, signal: new AbortController().signal });
    return grant.url;
  } catch (error) {
    if (isPortleaseError(error) && error instanceof PortleaseError) {
      const code: string = error.code;
      return code;
    }
    throw error;
  } finally {
    await grant.release();
    opened.close();
  }
}

export function plugins(): string[] {
  const options: PluginOptions = { projectId: "shop", service: "admin", preferred: new Set([5200]), range: [5173, 5273] };
  // @ts-expect-error -- There is no such option.
  vite({ port: 5200 });
  return [vite(options).name, portlease().name, astro(options).name];
}

export const next = withPortlease({ reactStrictMode: true }, { urls: { api: "NEXT_PUBLIC_API_URL" } });
// @ts-expect-error -- Nothing is configured by a number.
withPortlease(1);

export async function planner(snapshot: HostSnapshot): Promise<number> {
  await init(new URL("https://example.org/plan.wasm"));
  const { reserved, changes } = plan(snapshot, { projectId: "shop", framework: "vite", preferred: new Set([5200]) });
  const after: HostSnapshot = applyChanges(JSON.stringify(snapshot), changes);
  const ports: PortSet = union([3000, "4000-4010"], new Set([5000]));
  using planner = new Planner(after);
  // @ts-expect-error -- There is no such wish.
  planner.plan({ projectID: "shop" });
  // @ts-expect-error -- It may be missing, and a strict project is told.
  return reserved.services[0].lease.port + ports.length;
}
