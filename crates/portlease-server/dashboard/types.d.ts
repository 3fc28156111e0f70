// What the service answers beyond the types that every language has, for the check of the dashboard.

import type {
  Container,
  ContainerOnPort,
  Explained,
  Lease,
  LeaseKey,
  LeaseStatus,
  Occupant,
  Port,
  PortSet,
  Timestamp,
  Trace,
} from "../../../npm/portlease/types.js";

export type * from "../../../npm/portlease/types.js";

/** A lease with everything that is known about it. */
export interface LeaseView {
  lease: Lease;
  status: LeaseStatus;
  occupant?: Occupant;
  health?: LeaseHealth;
  process?: { pid: number; name?: string | null };
  container?: ContainerOnPort;
}

/** What the monitor found out about a lease. */
export interface LeaseHealth {
  state: "healthy" | "unreachable" | "hijacked" | "idle";
  latencyMicros?: number;
  httpStatus?: number;
  problem?: string;
  checkedAt: Timestamp;
}

/** A range that has a name. */
export interface NamedRange {
  name: string;
  first: Port;
  last: Port;
  default?: Port;
}

/** Everything that the map shows. */
export interface PortMap {
  host: string;
  ranges: NamedRange[];
  leased: [port: Port, generation: number][];
  occupied: PortSet;
  remembered: PortSet;
  excluded: PortSet;
}

/** What the service pushes. */
export type LiveEvent =
  | { type: "snapshot"; leases: LeaseView[]; containers: ContainerOnPort[] }
  | { type: "leaseGranted" | "leaseChanged"; lease: Lease; status: LeaseStatus }
  | { type: "leaseMoved"; lease: Lease; from: Port; status: LeaseStatus }
  | { type: "leaseEnded"; lease: Lease }
  | { type: "healthChanged"; key: LeaseKey; port: Port; health: LeaseHealth; previous?: string }
  | { type: "containerAppeared" | "containerChanged" | "containerGone"; container: ContainerOnPort; ports: PortSet }
  | { type: "occupancyChanged"; appeared: PortSet; gone: PortSet };

/** What a request would get, and why. */
export type Explanation = Explained & { trace: Trace };

/** What the page asks of the planner: several services of one project. */
export interface PlannedWish {
  projectId: string;
  services: PlannedService[];
}

/** One of them. */
export interface PlannedService {
  service: string;
  framework?: string;
  basePort?: Port;
  maxPort?: Port;
}

/** How a port looks on the map. */
export type PortState = "live" | "leased" | "trouble" | "occupied" | "excluded" | "remembered" | "free";

/** How it stands with the connection to the service. */
export type Connection =
  | { state: "connecting" | "live" }
  | { state: "lost"; problem: string; retryAt: number };

/** What the page uses of `portlease/plan`. */
export interface Planning {
  init(library: string): Promise<void>;
  Planner: new (snapshot: object) => {
    explain(wish: PlannedWish): Explanation;
    plan(wish: PlannedWish): unknown;
    free(): void;
  };
}
