/** Which package `@portlease/…` is for this machine, and what is in it. */

/** The platforms for which there is a package. */
const PLATFORMS = [
  "linux-x64-gnu",
  "linux-x64-musl",
  "linux-arm64-gnu",
  "linux-arm64-musl",
  "darwin-x64",
  "darwin-arm64",
  "win32-x64-msvc",
];

/**
 * The packages that may be the one for this machine. On Linux these are two: which C library there is takes Node milliseconds
 * to tell, and an installation has only the right one, because npm looks as well.
 */
export function candidates(): string[] {
  const name = `${process.platform}-${process.arch}`;
  return PLATFORMS.filter((platform) => platform === name || platform.startsWith(`${name}-`)).map(packageOf);
}

/** The command line for this machine. */
export function commandLine(): string {
  const file = process.platform === "win32" ? "portlease.exe" : "portlease";
  const installed = candidates().flatMap((name) => {
    try {
      return [{ name, path: require.resolve(`${name}/${file}`) }];
    } catch {
      return [];
    }
  });
  // A system starts the command line of another C library as little as it loads its library, but does not say so in time.
  const right = installed.length > 1 ? installed.find(({ name }) => name === packageOf(platform())) : installed[0];
  if (right === undefined) {
    throw new Error(`Portlease has no command line for this machine. ${advice()}`);
  }
  return right.path;
}

/** What to do on a machine for which no package is installed. */
export function advice(): string {
  const name = platform();
  if (!PLATFORMS.includes(name)) {
    return `There is none for ${name}, only for ${PLATFORMS.join(", ")}.`;
  }
  return (
    `The package ${packageOf(name)} is not installed. It is an optional dependency of portlease: install again with ` +
    "`npm install --include=optional`, and if that does not help, without the node_modules and the lock file that were " +
    "made on another platform."
  );
}

/** The platform that this process runs on, as its package has it. */
function platform(): string {
  const name = `${process.platform}-${process.arch}`;
  switch (process.platform) {
    case "linux":
      return `${name}-${isMusl() ? "musl" : "gnu"}`;
    case "win32":
      return `${name}-msvc`;
    default:
      return name;
  }
}

function isMusl(): boolean {
  const report = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return report.header.glibcVersionRuntime === undefined;
}

function packageOf(platform: string): string {
  return `@portlease/${platform}`;
}
