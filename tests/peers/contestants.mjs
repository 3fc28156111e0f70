// How each package finds a port in a range. A contestant is imported only by who measures it.

/** The peers, by the names under which npm has them. */
export const PEERS = ["get-port", "detect-port", "portfinder", "get-port-please"];

const LOADERS = {
  portlease: async () => {
    const { allocatePort, allocatePortSync, releasePortForProjectSync } = await import("portlease");
    const wish = (turn, { first, last }) => ({ projectId: project(turn), basePort: first, maxPort: last });
    return {
      pick: (turn, range) => allocatePort(wish(turn, range)),
      pickSync: (turn, range) => allocatePortSync(wish(turn, range)),
      forget: (turn) => releasePortForProjectSync(project(turn)),
    };
  },
  "get-port": async () => {
    const { default: getPort, clearLockedPorts, portNumbers } = await import("get-port");
    return {
      pick: (_, { first, last }) => getPort({ port: portNumbers(first, last) }),
      // It gives no port twice within some seconds, to callers in the same process.
      forget: () => clearLockedPorts(),
    };
  },
  "detect-port": async () => {
    const { detect } = await import("detect-port");
    return { pick: (_, { first }) => detect(first), forget: () => {} };
  },
  portfinder: async () => {
    const { default: portfinder } = await import("portfinder");
    return {
      pick: (_, { first, last }) => portfinder.getPortPromise({ port: first, stopPort: last }),
      forget: () => {},
    };
  },
  "get-port-please": async () => {
    const { getPort } = await import("get-port-please");
    return {
      pick: (_, { first, last }) => getPort({ port: first, portRange: [first, last] }),
      forget: () => {},
    };
  },
};

/** The contestant of this name: `pick` answers a port, `forget` undoes it. */
export const load = (name) => LOADERS[name]();

const project = (turn) => `/home/ada/projects/shop-${process.pid}-${turn}`;
