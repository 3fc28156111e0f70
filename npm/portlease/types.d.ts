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
   * Stop and remove containers of the project itself that are on its ports. Without it, it is what the configuration and
   * `AUTO_KILL_PORT` say.
   */
  reclaim?: boolean;
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
export type Verdict = "excluded" | "pooled" | "browserBlocked" | "systemReserved" | "privileged" | "claimed" | "leased" | "occupied" | "remembered" | "reclaimed" | "granted" | "yielded" | "various";

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
  /**
   * What a container does, in the words of its engine, such as `exited`.
   */
  state?: Name;
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
export type Evidence = "dead" | "abandoned" | "hostGone";

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
   * The containers that publish it, that will when they are started, or in which somebody listens on it.
   */
  containers: Array<ContainerOnPort>;
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
 * What is known of a host.
 */
export type HostStatus = {
  /**
   * The host.
   */
  host: Host;
  /**
   * How many leases it has.
   */
  leases: number;
  /**
   * How many seconds ago its runner reported; absent when it never had one.
   */
  silentForSeconds?: number;
  /**
   * After how many seconds of silence its leases end; absent when they never do.
   */
  givesUpAfterSeconds?: number;
};

/**
 * A host as somebody sees it who cannot look at it.
 *
 * Everything but its name may be left out: nothing is leased or occupied then, and the settings are the built-in ones.
 */
export type HostSnapshot = {
  /**
   * The host.
   */
  host: Host;
  /**
   * What is leased and remembered there.
   */
  registry?: Snapshot;
  /**
   * What was observed there.
   */
  facts?: Facts;
  /**
   * Its frameworks, presets and pools, and the ports that are not to be used there.
   */
  settings?: HostSettings;
  /**
   * Ports that the machine refused in this exchange when it was to confirm a plan. They stay closed until the exchange is
   * over, which is why it ends.
   */
  refuted?: PortSet;
};

/**
 * `Leases` row by row: as a store reads them, as an export holds them, and as they travel to a
 * planner that cannot see the machine.
 */
export type Snapshot = {
  /**
   * All leases.
   */
  leases?: Array<Lease>;
  /**
   * All memories.
   */
  memories?: Array<Memory>;
  /**
   * The generation of the last grant.
   */
  lastGeneration?: Generation;
  /**
   * How often each port was granted.
   */
  usage?: Array<PortUsage>;
  /**
   * What happened since the registry was made.
   */
  counters?: Counters;
  /**
   * When the leases were last swept.
   */
  lastSwept?: Timestamp;
};

/**
 * What a released lease leaves: its port as a preference, not as a right.
 */
export type Memory = {
  /**
   * The port.
   */
  port: Port;
  /**
   * When it was last used.
   */
  releasedAt: Timestamp;
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
 * Every observation of the world that a decision may use.
 */
export type Facts = {
  /**
   * The moment of the observation.
   */
  now: Timestamp;
  /**
   * The ports that could not be bound at that moment, and by whom they are occupied.
   */
  occupied?: Array<OccupiedPort>;
  /**
   * The ports that the operating system keeps for itself.
   */
  systemReserved?: PortSet;
  /**
   * The lowest port that the caller may bind; every port when absent.
   */
  unprivilegedStart?: Port;
  /**
   * The holders that were seen to have ended. Whoever is not named counts as alive.
   */
  dead?: Array<Holder>;
  /**
   * Whether the host as a whole is gone: it agreed to give everything up when it cannot report for some time, and did not
   * report for longer.
   */
  hostIsGone?: boolean;
};

/**
 * A port that cannot be bound.
 */
export type OccupiedPort = {
  /**
   * The port.
   */
  port: Port;
  /**
   * Who is on it, when that is known.
   */
  occupant?: Occupant;
};

/**
 * What holds for all projects of a machine: built in, unless its configuration says otherwise.
 */
export type HostSettings = {
  /**
   * The frameworks to choose from.
   */
  catalog?: Array<Framework>;
  /**
   * The kinds of services to choose from.
   */
  presets?: Array<Preset>;
  /**
   * The pools.
   */
  pools?: Array<Pool>;
  /**
   * Ports that are not to be used.
   */
  exclude?: PortSet;
};

/**
 * A dev server and where it usually listens.
 */
export type Framework = {
  /**
   * Its one name, in lower case.
   */
  name: Name;
  /**
   * What people call it.
   */
  title?: Name;
  /**
   * The ports that its projects share.
   */
  range: PortRange;
  /**
   * The port that is tried first.
   */
  default: Port;
  /**
   * Other names by which it can be asked for.
   */
  aliases?: Array<Name>;
};

/**
 * The range of a kind of service in one environment.
 */
export type Preset = {
  /**
   * The environment, such as `development`.
   */
  profile: Name;
  /**
   * The kind of service, such as `webServer`.
   */
  service: Name;
  /**
   * Its ports. The first is the default.
   */
  range: PortRange;
};

/**
 * A named part of the ports.
 */
export type Pool = {
  /**
   * Whose part it is, a team's for instance.
   */
  name: Name;
  /**
   * The ports of the pool.
   */
  range: PortRange;
};

/**
 * Which ports the services of a request would get, by what was known of their host.
 *
 * It is nobody's lease yet: the host's runner confirms it, or not.
 */
export type Plan = {
  /**
   * The host.
   */
  host: Host;
  /**
   * What was asked.
   */
  request: Request;
  /**
   * Where each service is to sit.
   */
  planned: Planned;
  /**
   * What the services would get.
   */
  reserved: Reserved;
  /**
   * What that would change, for planning on before it is confirmed.
   */
  changes: Array<Change>;
  /**
   * The reasons.
   */
  trace: Trace;
  /**
   * See `HostSnapshot::refuted`.
   */
  refuted?: PortSet;
};

/**
 * Where the services of a request are to sit, as somebody decided who does not see the machine.
 *
 * A `Request` that carries it is granted these seats or none: nobody else is moved,
 * and no lease is touched that came or changed since the plan was made.
 */
export type Planned = {
  /**
   * The instance of the project.
   */
  instance: number;
  /**
   * A seat for every service.
   */
  seats: Array<Seat>;
  /**
   * The leases of others that make way.
   */
  displaced?: Array<Displacement>;
};

/**
 * The port that a planner chose for a service.
 */
export type Seat = {
  /**
   * The service.
   */
  service: Name;
  /**
   * Its port.
   */
  port: Port;
  /**
   * The lease that the service had as far as the planner knew.
   */
  replaces?: Generation;
};

/**
 * A lease that makes way by plan.
 */
export type Displacement = {
  /**
   * Its generation as far as the planner knew.
   */
  generation: Generation;
  /**
   * Where it goes; absent when it has nowhere to go and ends.
   */
  to?: Port;
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
 * A request for ports: of one service, or of several that get theirs together or not at all.
 */
export type Request = {
  /**
   * The project that asks.
   */
  project: Name;
  /**
   * The services that want ports, in the order of the declaration.
   */
  services: Array<Service>;
  /**
   * The process or container that will listen; absent when the caller asks on behalf of others.
   */
  holder?: Holder;
  /**
   * What to do when an instance of the project runs already.
   */
  ifRunning: IfRunning;
  /**
   * Give up the current ports and take others.
   */
  forceNew: boolean;
  /**
   * Decide from the registry alone, for a machine that cannot be observed.
   */
  skipPortCheck: boolean;
  /**
   * Stop and remove containers of the project itself that are on its ports. The caller does it before it asks for the
   * decision.
   */
  reclaim: boolean;
  /**
   * What happens when a wanted port belongs to another service.
   */
  strategy: Strategy;
  /**
   * Whether other services may be moved at all.
   */
  autoReassign: boolean;
  /**
   * How often the caller tries again after it lost a race for a granted port.
   */
  maxRetries: number;
  /**
   * Ports that are not to be used.
   */
  exclude?: PortSet;
  /**
   * The pools of the machine.
   */
  pools?: Array<Pool>;
  /**
   * The pool whose ports are wanted.
   */
  pool?: Name;
  /**
   * Where the services are to sit by a plan that was made elsewhere: these seats or none.
   */
  planned?: Planned;
};

/**
 * One service of a request.
 */
export type Service = {
  /**
   * Its name inside the project.
   */
  name: Name;
  /**
   * The framework that serves it.
   */
  framework: Name;
  /**
   * A port that was asked for by name, before all others.
   */
  explicit?: Explicit;
  /**
   * Ports to try first, in this order. They may lie outside the range.
   */
  preferred?: Array<Port>;
  /**
   * The service's own range.
   */
  range: PortRange;
  /**
   * The port of the range that is tried first; its low end when absent.
   */
  default?: Port;
  /**
   * Where the search of the range starts, when not at a remembered port or the default.
   */
  start?: Port;
  /**
   * Ranges to go on with when the own range is full, in this order.
   */
  spillover?: Array<PortRange>;
  /**
   * The range for the case that all others are full.
   */
  emergency?: PortRange;
  /**
   * Services of higher priority are served first.
   */
  priority: number;
  /**
   * What the service speaks: it chooses the URL's scheme and the health check.
   */
  requires?: Array<Capability>;
  /**
   * Services of the project that must not share its port.
   */
  conflicts?: Array<Name>;
  /**
   * The service of the project whose port this one takes, instead of one of its own.
   */
  inheritFrom?: Name;
};

/**
 * A port that was asked for by name: on the command line, or in an environment variable.
 */
export type Explicit = {
  /**
   * The port.
   */
  port: Port;
  /**
   * That port or none: the request is refused when it cannot be had.
   */
  strict: boolean;
};

/**
 * One change of the registry. `Leases::apply` says what each does.
 */
export type Change = {
  kind: "grant";
} & Lease | {
  kind: "update";
} & Lease | {
  kind: "end";
} & LeaseKey | {
  kind: "remember";
} & Memory | {
  kind: "forget";
} & LeaseKey | {
  kind: "count";
} & Counters | {
  kind: "swept";
  /**
   * When.
   */
  at: Timestamp;
};

/**
 * A container that publishes a port.
 */
export type ContainerOnPort = {
  /**
   * What people call it.
   */
  name: Name;
  /**
   * What it does, in the words of its engine: `running`, `paused`, `created`, `exited`.
   */
  state: Name;
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
} | {
  code: "PLAN_OUTDATED";
  details: Outdated;
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
 * See `Refusal::PlanOutdated`.
 */
export type Outdated = {
  /**
   * The planned ports that cannot be had, and the leases that are not what the planner knew.
   */
  wrong: Array<Unavailable>;
  /**
   * How it came to that.
   */
  trace: Trace;
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
 * A set of ports: a bitmap over all 65,536 numbers, of which only the words up to the highest
 * member are stored. An empty set costs no memory.
 *
 * In JSON it is a list of ports and ranges: `[3000, [4000, 4010]]`.
 */
export type PortSet = (Port | PortRange)[];

/**
 * The machine, and inside it the network, whose ports are leased.
 */
export type Host = string;

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
