// What a project of CommonJS may write. It is compiled, strictly, and not run.

import portlease = require("portlease");
import { Allocator, reserveOrReallocatePortSync, version } from "portlease";
import { portlease as astro } from "portlease/astro";
import { withPortlease } from "portlease/next";
import { plan } from "portlease/plan";
import { portlease as vite } from "portlease/vite";
import "portlease/register";

export const text: string = version;
export const same: string = portlease.version;
export const port: number = reserveOrReallocatePortSync({ projectId: "shop" }).port;
export const leases: number = Allocator.openSync().listSync().length;

// @ts-expect-error -- A door whose types are lost would let everything through.
export const number: number = version;

export const plugins: string[] = [vite().name, astro().name];
export const next = withPortlease({ reactStrictMode: true });
export const planned = plan({ host: "runner-7" }, { projectId: "shop" }).reserved;
