// What somebody writes who has nothing but the document of the service: every field is checked against it when this is compiled.

import createClient from "openapi-fetch";

import type { paths } from "./schema.js";

/** Leases a port, finds it in the lists, and gives it back; answers what was seen on the way. */
export async function comeAndGo(baseUrl: string, port: number) {
  const service = createClient<paths>({ baseUrl });
  const wish = { projectId: "generated", basePort: port, maxPort: port } as const;
  const { data: allocation, error } = await service.POST("/api/leases", { body: wish });
  if (error !== undefined) throw new Error(error.detail);

  const { data: ports } = await service.GET("/api/ports", { params: { query: { project: allocation.project } } });
  const { data: listed } = await service.GET("/api/leases");
  const { data: who } = await service.GET("/api/who/{port}", { params: { path: { port: allocation.port } } });
  const taken = await service.POST("/api/leases", { body: { ...wish, projectId: "another" } });
  const { project, generation } = allocation;
  const { data: released } = await service.DELETE("/api/leases", { body: { project, generation } });
  return {
    port: allocation.port,
    ports: Object.values(ports?.data ?? {}),
    listed: listed?.leases.map(({ lease, status }) => [lease.port, status]),
    owner: who?.lease?.project,
    refused: [taken.response.status, taken.error?.code],
    released: released?.leases.length,
  };
}
