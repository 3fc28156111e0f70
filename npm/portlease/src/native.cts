/** Finds the native library: in the package for this platform, or, while Portlease is developed, beside this file. */

/** The functions of `bindings/node`. */
export interface Native {
  version(): string;
}

/** The platforms for which there is a package `@portlease/…`. */
const PLATFORMS = [
  "linux-x64-gnu",
  "linux-x64-musl",
  "linux-arm64-gnu",
  "linux-arm64-musl",
  "darwin-x64",
  "darwin-arm64",
  "win32-x64-msvc",
];

function load(): Native {
  const failures: unknown[] = [];
  for (const place of [...candidates().map((name) => `@portlease/${name}/portlease.node`), "./portlease.node"]) {
    try {
      return require(place) as Native;
    } catch (error) {
      if ((error as { code?: unknown } | null)?.code !== "MODULE_NOT_FOUND") {
        failures.push(error);
      }
    }
  }
  throw new Error(`Portlease cannot load its native library. ${advice(failures)}`, { cause: failures[0] });
}

/**
 * The platforms whose library may load here. Which C library Linux has, the loader of libraries finds out in no time, by
 * refusing the other one; Node would take milliseconds to tell.
 */
function candidates(): string[] {
  const name = `${process.platform}-${process.arch}`;
  return PLATFORMS.filter((platform) => platform === name || platform.startsWith(`${name}-`));
}

function advice(failures: unknown[]): string {
  const name = platform();
  if (!PLATFORMS.includes(name)) {
    return `There is none for ${name}, only for ${PLATFORMS.join(", ")}.`;
  }
  if (failures.length > 0) {
    return failures.map(String).join(" ");
  }
  return (
    `The package @portlease/${name} is not installed. It is an optional dependency of portlease: install again with ` +
    "`npm install --include=optional`, and if that does not help, without the node_modules and the lock file that were " +
    "made on another platform."
  );
}

/** The name of the platform that this process runs on, as its package has it. */
function platform(): string {
  const name = `${process.platform}-${process.arch}`;
  switch (process.platform) {
    case "linux": {
      const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
      return `${name}-${header.glibcVersionRuntime === undefined ? "musl" : "gnu"}`;
    }
    case "win32":
      return `${name}-msvc`;
    default:
      return name;
  }
}

/** The native library of this platform. */
export const native: Native = load();
