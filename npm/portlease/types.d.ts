// Generated from the Rust types by `cargo xtask generate`.

// Whoever has neither the types of Node nor those of the browser has at least this much of a URL.
interface URL {
  readonly href: string;
}

/**
 * What can be said about a request as a whole.
 */
export type RequestWish = {
  /**
   * The project. Without it, it is the one that `cwd` belongs to.
   */
  projectId?: string;
  /**
   * A folder of the project: its configuration holds, and shows the framework. Without it, it is the current folder,
   * which is looked at only when there is no `projectId`.
   */
  cwd?: string | URL;
  /**
   * The environment whose presets hold: `development` when nothing is said.
   */
  profile?: string;
  /**
   * What happens when a wanted port belongs to another service.
   */
  strategy?: Strategy;
  /**
   * Whether other services may be moved at all.
   */
  autoReassign?: boolean;
  /**
   * How often another port is tried after a race for a granted one was lost.
   */
  maxRetries?: number;
  /**
   * Ports that are not to be used: numbers, and ranges such as `"4000-4010"` or `[4000, 4010]`.
   */
  exclude?: Iterable<PortsWish>;
  /**
   * The pool whose ports are wanted.
   */
  pool?: string;
  /**
   * Give up the current ports and take others.
   */
  forceNew?: boolean;
  /**
   * Decide from the registry alone, for another machine.
   */
  skipPortCheck?: boolean;
  /**
   * What to do when another process runs the services.
   */
  ifRunning?: IfRunning;
  /**
   * Who will listen: this process, another one, or nobody in particular.
   */
  holder?: HolderWish;
};

/**
 * What can be said about one service.
 */
export type ServiceWish = {
  /**
   * The name of the service; `web` when nothing is said.
   */
  service?: string;
  /**
   * The framework, by a name that is known.
   */
  framework?: string;
  /**
   * The framework that the caller thinks it is. A name that nobody knows says nothing.
   */
  detectedFramework?: string;
  /**
   * The kind of project as its tools call it, such as `nextjs`. A name that nobody knows says nothing.
   */
  projectType?: string;
  /**
   * The command that starts the dev server. Scripts are looked up in the folder of the project.
   */
  runCommand?: string;
  /**
   * This port or none.
   */
  port?: Port;
  /**
   * Ports to try first, in this order. They may lie outside the range.
   */
  preferred?: Iterable<Port>;
  /**
   * The first port of the range, in place of the framework's. Without `maxPort` it has 101 ports.
   */
  basePort?: Port;
  /**
   * The last port of the range.
   */
  maxPort?: Port;
  /**
   * Where the search of the range starts, when not at a remembered port or the default.
   */
  startPort?: Port;
  /**
   * The kind of service whose range it has in the profile, such as `apiServer`.
   */
  preset?: string;
  /**
   * Ranges to go on with when the own one is full, in this order, such as `"4000-4999"` or `[4000, 4999]`.
   */
  spillover?: Iterable<PortsWish>;
  /**
   * The range for the case that all others are full.
   */
  emergency?: PortsWish;
  /**
   * Services of higher priority are served first. Without it, it is 0.
   */
  priority?: number;
  /**
   * What the service speaks: it chooses the URL's scheme and the health check.
   */
  requires?: Iterable<Capability>;
  /**
   * Services of the project that must not share its port.
   */
  conflicts?: Iterable<string>;
  /**
   * The service of the project whose port this one takes, instead of one of its own.
   */
  inheritFrom?: string;
  /**
   * The environment variable whose port comes before all others, if it is free. A value that is no port is a warning.
   */
  envVar?: string | {
    name: string;
    value?: string;
  };
};

/**
 * One port, or a range of them: a number, `"4000-4100"`, or `[4000, 4100]`.
 */
export type PortsWish = Port | `${number}-${number}` | [first: Port, last: Port];

/**
 * Who will listen: `"self"`, `"nobody"`, or `{"pid": 4242}`.
 */
export type HolderWish = "self" | "nobody" | {
  pid: number;
};

/**
 * What happens when a service wants a port that another service holds.
 */
export type Strategy = "conservative" | "minimal" | "aggressive";

/**
 * What to do when another process runs the same services of the same project.
 */
export type IfRunning = "attach" | "another" | "takeover";

/**
 * What a service speaks on its port.
 */
export type Capability = "http" | "https" | "websocket" | "tcp";

/**
 * The port of a service, and how it came to it.
 */
export type Allocation = {
  /**
   * The port.
   */
  port: Port;
  /**
   * The framework whose range it is from.
   */
  framework: Name;
  /**
   * The address to open.
   */
  url: string;
  /**
   * The project.
   */
  project: Name;
  /**
   * The service.
   */
  service: Name;
  /**
   * Which instance of the project it is.
   */
  instance: number;
  /**
   * What a confirmation, a renewal or a release has to name.
   */
  generation: Generation;
  /**
   * How the service came to the lease.
   */
  outcome: Outcome;
  /**
   * The way by which the port was found.
   */
  tier: Tier;
  /**
   * The port that the service had before, when it had another.
   */
  previousPort?: Port;
  /**
   * Other services that had to make way. Whoever supervises them restarts them.
   */
  moves: Array<Move>;
  /**
   * What the user should know, such as a variable that is no port.
   */
  warnings: Array<string>;
};

/**
 * The exclusive right of one instance of a service to one port of one host.
 */
export type Lease = {
  /**
   * The port.
   */
  port: Port;
  /**
   * The framework for which it was granted.
   */
  framework: Name;
  /**
   * Which grant of the host this is. Whoever acts for the lease names it.
   */
  generation: Generation;
  /**
   * Whether somebody was seen listening.
   */
  state: LeaseState;
  /**
   * The process or container that the lease belongs to. A lease without one was taken on
   * behalf of others.
   */
  holder?: Holder;
  /**
   * The process or container that was seen listening, when it is another.
   */
  listener?: Holder;
  /**
   * The service's own range: where it may go when it has to move.
   */
  range: PortRange;
  /**
   * By which way the port was found.
   */
  tier: Tier;
  /**
   * Services of lower priority make way for those of higher priority, never the other way.
   */
  priority: number;
  /**
   * What the service speaks.
   */
  requires?: Array<Capability>;
  /**
   * The services that share the port because they inherit it.
   */
  followers?: Array<Follower>;
  /**
   * When the port was granted.
   */
  grantedAt: Timestamp;
  /**
   * When the lease was last used by its owner.
   */
  renewedAt: Timestamp;
  /**
   * The project.
   */
  project: Name;
  /**
   * The service of the project.
   */
  service: Name;
  /**
   * 1, or more for each further instance that ran at the same time.
   */
  instance?: number;
};

/**
 * What identifies a lease on a host: there is one per instance of a service of a project.
 */
export type LeaseKey = {
  /**
   * The project.
   */
  project: Name;
  /**
   * The service of the project.
   */
  service: Name;
  /**
   * 1, or more for each further instance that ran at the same time.
   */
  instance?: number;
};

/**
 * How far a lease has come.
 */
export type LeaseState = "reserved" | "live";

/**
 * A service that shares the port of the service from which it inherits.
 */
export type Follower = {
  /**
   * The service.
   */
  service: Name;
  /**
   * What it speaks.
   */
  requires?: Array<Capability>;
};

/**
 * The number of a grant. It only grows on a host, so an old owner can be told from a new one.
 */
export type Generation = number;

/**
 * Whom a lease belongs to: the process that listens or will listen, or a container.
 */
export type Holder = {
  kind: "process";
} & Process | {
  kind: "container";
} & Container;

/**
 * The identity of a process: a pid alone is used again, together with its start it is not.
 */
export type Process = {
  /**
   * The process id inside its namespace.
   */
  pid: number;
  /**
   * When it started, in the operating system's own unit and from its own origin; below 2^53, so
   * that every reader of JSON can hold it.
   */
  started?: number;
  /**
   * Which start of the machine it belongs to.
   */
  boot?: Name;
  /**
   * The namespace that gives the pid its meaning.
   */
  namespace?: number;
};

/**
 * The identity of a container.
 */
export type Container = {
  /**
   * The engine, such as `docker`.
   */
  engine: Name;
  /**
   * The full id that the engine gave it.
   */
  id: Name;
};

/**
 * How a service came to its lease.
 */
export type Outcome = "new" | "reused" | "reallocated" | "attached" | "tookOver" | "inherited";

/**
 * The way by which a port was found, in the order in which the ways are tried.
 */
export type Tier = "preferred" | "remembered" | "default" | "scan" | "spillover" | "emergency";

/**
 * A service that had to make way for another.
 */
export type Move = {
  /**
   * The port that it had.
   */
  from: Port;
  /**
   * The port that it has now; absent when it was evicted.
   */
  to?: Port;
  /**
   * Why, in a sentence.
   */
  reason: string;
  /**
   * The project.
   */
  project: Name;
  /**
   * The service of the project.
   */
  service: Name;
  /**
   * 1, or more for each further instance that ran at the same time.
   */
  instance?: number;
};

/**
 * The ports of all services of a request.
 */
export type Reserved = {
  /**
   * Which instance of the project the services belong to.
   */
  instance: number;
  /**
   * One entry for each service, in the order of the request.
   */
  services: Array<Granted>;
  /**
   * Other services that had to make way.
   */
  moves?: Array<Move>;
};

/**
 * The port of one service of a request.
 */
export type Granted = {
  /**
   * The service.
   */
  service: Name;
  /**
   * How the service came to the lease.
   */
  outcome: Outcome;
  /**
   * The lease; for a service that inherits, the lease of the service from which it does.
   */
  lease: Lease;
  /**
   * The port that the service had before, when it had another.
   */
  previousPort?: Port;
  /**
   * Who still runs on the lease that the service took over or gave up. The caller ends them, or
   * lives with them on the old port.
   */
  takenFrom?: Array<Holder>;
  /**
   * How many candidates were looked at.
   */
  looks: number;
};

/**
 * What a request would get, and why.
 */
export type Explained = {
  /**
   * What would be granted.
   */
  reserved?: Reserved;
  /**
   * Why nothing would be granted.
   */
  refusal?: Refusal;
};

/**
 * What was looked at and what was found, in order.
 *
 * Neighbouring ports with the same verdict are one step, so that a full range of 7,000 ports
 * is a handful of steps. `Command::Explain` gives each port its own.
 */
export type Trace = Step[];

/**
 * Some neighbouring ports that one service looked at, with one verdict.
 */
export type Step = {
  /**
   * The service that looked.
   */
  service: Name;
  /**
   * In which way it looked.
   */
  tier: Tier;
  /**
   * The ports.
   */
  ports: PortRange;
  /**
   * What became of them.
   */
  verdict: Verdict;
  /**
   * Whose they are: the first few, when there are many.
   */
  by?: Array<Party>;
};

/**
 * What became of a candidate. Where several apply, the first of this list is told.
 */
export type Verdict = "excluded" | "pooled" | "browserBlocked" | "systemReserved" | "privileged" | "claimed" | "leased" | "occupied" | "remembered" | "granted" | "yielded" | "various";

/**
 * Whoever has a port.
 */
export type Party = {
  kind: "service";
  /**
   * The process or container behind it, when it is known.
   */
  holder?: Holder;
  /**
   * The project.
   */
  project: Name;
  /**
   * The service of the project.
   */
  service: Name;
  /**
   * 1, or more for each further instance that ran at the same time.
   */
  instance?: number;
} | {
  kind: "occupant";
} & Occupant | {
  kind: "pool";
  /**
   * Its name.
   */
  name: Name;
};

/**
 * Whoever is on a port at the operating system, as far as it could be told.
 */
export type Occupant = {
  /**
   * The process or container.
   */
  holder?: Holder;
  /**
   * The processes that started it, the nearest first: a dev server belongs to the lease of the
   * command that started it.
   */
  ancestors?: Array<Holder>;
  /**
   * What people call it, such as `node` or the name of a container.
   */
  name?: Name;
};

/**
 * The leases that were given back.
 */
export type Released = {
  /**
   * The leases as they were. None when there was nothing to release, which is no error.
   */
  leases: Array<Lease>;
  /**
   * Services that shared the port of another and do not any more.
   */
  followers?: Array<LeaseKey>;
};

/**
 * The leases that were removed because their owners are gone.
 */
export type Swept = {
  /**
   * The leases as they were, and the evidence.
   */
  removed: Array<SweptLease>;
};

/**
 * A lease that was removed.
 */
export type SweptLease = {
  /**
   * The lease as it was.
   */
  lease: Lease;
  /**
   * Why it was removed.
   */
  evidence: Evidence;
};

/**
 * Why a lease may be removed.
 */
export type Evidence = "dead" | "abandoned";

/**
 * What is true of a lease.
 */
export type ValidatedLease = {
  /**
   * The lease.
   */
  lease: Lease;
  /**
   * What is true of it.
   */
  status: LeaseStatus;
  /**
   * Who is on its port.
   */
  occupant?: Occupant;
};

/**
 * What is true of a lease.
 */
export type LeaseStatus = "live" | "idle" | "stale" | "hijacked";

/**
 * How the ports are used.
 */
export type Stats = {
  /**
   * One entry for each range that was asked about.
   */
  ranges: Array<RangeUsage>;
  /**
   * The ports that were granted most often.
   */
  busiest: Array<PortUsage>;
  /**
   * The ports that were granted at least once and least often.
   */
  leastUsed: Array<PortUsage>;
  /**
   * What happened since the registry was made.
   */
  counters: Counters;
};

/**
 * How a range is used.
 */
export type RangeUsage = {
  /**
   * The name it was asked about by.
   */
  name: Name;
  /**
   * The range.
   */
  range: PortRange;
  /**
   * Ports with a lease.
   */
  leased: number;
  /**
   * Ports without a lease that somebody is on.
   */
  occupied: number;
  /**
   * Ports that are neither.
   */
  free: number;
};

/**
 * How often a port was granted.
 */
export type PortUsage = {
  /**
   * The port.
   */
  port: Port;
  /**
   * The grants since the registry was made.
   */
  grants: number;
};

/**
 * What happened since the registry was made.
 */
export type Counters = {
  /**
   * Leases that were granted with a new generation.
   */
  grants: number;
  /**
   * Requests that were answered with the lease that was there.
   */
  reuses: number;
  /**
   * Wanted ports that belonged to another service.
   */
  conflicts: number;
  /**
   * Services that had to make way.
   */
  moves: number;
  /**
   * Requests that were refused.
   */
  refusals: number;
  /**
   * Leases that were given back.
   */
  releases: number;
  /**
   * Leases that were removed because their owners are gone.
   */
  swept: number;
};

/**
 * What came of a `HealthCheck`.
 */
export type Health = {
  /**
   * The port.
   */
  port: Port;
  /**
   * Whether the server is well, or what is wrong.
   */
  status: HealthStatus;
  /**
   * The address that answered.
   */
  address?: string;
  /**
   * How long the answer took: the connection, or the first line of HTTP.
   */
  latencyMicros?: number;
  /**
   * The status of the HTTP answer.
   */
  httpStatus?: number;
  /**
   * What the operating system says, when it is nothing that is expected of servers.
   */
  problem?: string;
};

/**
 * Whether a server is well.
 */
export type HealthStatus = "healthy" | "refused" | "timedOut" | "httpError" | "notHttp" | "failed";

/**
 * A port, who is on it and to whom it is leased, as it is written in JSON.
 */
export type PortPresence = {
  /**
   * The port.
   */
  port: Port;
  /**
   * Everybody who is on it.
   */
  occupants: Array<ProgramOnPort>;
  /**
   * Its lease.
   */
  lease: Lease | null;
};

/**
 * A program that is on a port. What could not be read is `null`: programs of other users show less of themselves.
 */
export type ProgramOnPort = {
  /**
   * The number of its process.
   */
  pid: number | null;
  /**
   * The name of the program, such as `node`.
   */
  name: string | null;
  /**
   * Its command line, word by word.
   */
  command: Array<string>;
  /**
   * Its working directory.
   */
  directory: string | null;
  /**
   * The user under whom it runs: a name, or else a number.
   */
  user: string | null;
  /**
   * When it started.
   */
  startedAt: Timestamp | null;
  /**
   * Whether it listens on the port. Otherwise it is only bound to it, as a hold is.
   */
  listens: boolean;
};

/**
 * Why a command cannot be granted. Nothing was changed.
 *
 * The code and the details are stable; the sentence, which `Display` writes, is for people.
 */
export type Refusal = {
  code: "INVALID_PORT";
  details: {
    /**
     * The value as it was given.
     */
    value: string;
  };
} | {
  code: "INVALID_RANGE";
  details: {
    /**
     * The value as it was given.
     */
    value: string;
  };
} | {
  code: "INVALID_NAME";
  details: {
    /**
     * The beginning of the value.
     */
    value: string;
  };
} | {
  code: "INVALID_POOLS";
  details: {
    /**
     * What is wrong with them, in a sentence.
     */
    problem: string;
  };
} | {
  code: "NO_SERVICES";
} | {
  code: "DUPLICATE_SERVICE";
  details: {
    /**
     * The service.
     */
    service: Name;
  };
} | {
  code: "UNKNOWN_SERVICE";
  details: {
    /**
     * The service that inherits.
     */
    service: Name;
    /**
     * The name that it gives.
     */
    unknown: Name;
    /**
     * The services that there are.
     */
    known: Array<Name>;
  };
} | {
  code: "DEPENDENCY_CYCLE";
  details: {
    /**
     * The circle: each inherits from the next, the last from the first.
     */
    services: Array<Name>;
  };
} | {
  code: "UNKNOWN_POOL";
  details: {
    /**
     * The name that it gives.
     */
    unknown: Name;
    /**
     * The pools that there are.
     */
    known: Array<Name>;
  };
} | {
  code: "CONFLICT_UNRESOLVED";
  details: {
    /**
     * The service that declares the conflict.
     */
    service: Name;
    /**
     * The one with which it must not share.
     */
    with: Name;
    /**
     * The port that both would have.
     */
    port: Port;
  };
} | {
  code: "PORT_UNAVAILABLE";
  details: Unavailable;
} | {
  code: "RANGE_EXHAUSTED";
  details: Exhausted;
} | {
  code: "LEASE_NOT_FOUND";
  details: {
    /**
     * The project.
     */
    project: Name;
    /**
     * The service of the project.
     */
    service: Name;
    /**
     * 1, or more for each further instance that ran at the same time.
     */
    instance?: number;
  };
} | {
  code: "NOT_OWNER";
  details: NotOwner;
};

/**
 * The details of `Refusal::PortUnavailable`.
 */
export type Unavailable = {
  /**
   * The service that wants the port.
   */
  service: Name;
  /**
   * The port.
   */
  port: Port;
  /**
   * Why it cannot be had.
   */
  verdict: Verdict;
  /**
   * Who has it.
   */
  by?: Party;
  /**
   * Why the one that has it does not make way, when it is a lease.
   */
  stays?: Stays;
  /**
   * Everything that was looked at.
   */
  trace: Trace;
};

/**
 * Why a lease does not make way.
 */
export type Stays = "conservative" | "noReassign" | "notInsisted" | "live" | "higherPriority" | "nowhereToGo";

/**
 * The details of `Refusal::RangeExhausted`.
 */
export type Exhausted = {
  /**
   * The service that wants a port.
   */
  service: Name;
  /**
   * The ranges that were searched, in order.
   */
  ranges: Array<PortRange>;
  /**
   * How many ports are taken for which reason.
   */
  tally: Tally;
  /**
   * To whom the first of them are leased.
   */
  leasedTo?: Array<Taken>;
  /**
   * By whom the first of them are occupied.
   */
  occupiedBy?: Array<Taken>;
  /**
   * Everything that was looked at.
   */
  trace: Trace;
};

/**
 * A port and who has it.
 */
export type Taken = {
  /**
   * The port.
   */
  port: Port;
  /**
   * Who has it.
   */
  by: Party;
};

/**
 * How many ports are taken for which reason.
 */
export type Tally = {
  /**
   * Leased to others.
   */
  leased: number;
  /**
   * Not leased, and in use by other programs.
   */
  occupied: number;
  /**
   * Given to other services of the same request.
   */
  claimed: number;
  /**
   * Excluded by the caller or the configuration.
   */
  excluded: number;
  /**
   * Outside the pool that was asked for, or in the pools of others.
   */
  pooled: number;
  /**
   * Refused by browsers.
   */
  browserBlocked: number;
  /**
   * Kept by the operating system.
   */
  systemReserved: number;
  /**
   * Not permitted without privileges.
   */
  privileged: number;
};

/**
 * The details of `Refusal::NotOwner`.
 */
export type NotOwner = {
  /**
   * Its port.
   */
  port: Port;
  /**
   * Its generation. The caller named an older one, or none.
   */
  generation: Generation;
  /**
   * To whom it belongs, when it belongs to somebody who runs.
   */
  holder?: Holder;
  /**
   * The project.
   */
  project: Name;
  /**
   * The service of the project.
   */
  service: Name;
  /**
   * 1, or more for each further instance that ran at the same time.
   */
  instance?: number;
};

/**
 * A TCP port from 1 to 65535. Port 0 means "any port" to an operating system and is not a port.
 */
export type Port = number;

/**
 * An inclusive range of ports. It cannot be empty, reversed, or contain port 0.
 *
 * In JSON it is a pair, `[3000, 3100]`; as text it is `3000-3100`, or one port alone.
 */
export type PortRange = [first: Port, last: Port];

/**
 * The name of a project, service, framework, pool or host: text of 1 to 1,024 bytes without
 * control characters. A path is a usual name of a project. Cloning costs no memory.
 */
export type Name = string;

/**
 * A moment: milliseconds since the beginning of 1970, UTC, by the clock of whoever gathered the
 * facts.
 */
export type Timestamp = number;
