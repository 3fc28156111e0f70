/**
 * The one kind of error that Portlease throws.
 *
 * `code` is stable, `details` is data about it, and `message` says what to do next.
 *
 * ```js
 * import { isPortleaseError, reservePortForProject } from "portlease";
 *
 * try {
 *   await reservePortForProject("shop", 3000);
 * } catch (error) {
 *   if (isPortleaseError(error, "PORT_UNAVAILABLE")) {
 *     console.error(error.message, error.details);
 *   }
 * }
 * ```
 */
export class PortleaseError extends Error {
  /** What went wrong, such as `RANGE_EXHAUSTED`. It does not change from version to version. */
  readonly code: string;
  /** What the code is about: `Refusal` in the types tells for each code what there is. */
  readonly details: Readonly<Record<string, unknown>>;

  /** Made by Portlease itself. */
  constructor(code: string, message: string, details: Record<string, unknown> = {}, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}
// Not enumerable, as the name of every other error.
Object.defineProperty(PortleaseError.prototype, "name", { value: "PortleaseError", configurable: true, writable: true });

/**
 * Whether an error is Portlease's, and of this code when one is given. It also knows those of another copy of the package.
 */
export function isPortleaseError(error: unknown, code?: string): error is PortleaseError {
  return (
    error instanceof Error &&
    error.name === "PortleaseError" &&
    typeof (error as PortleaseError).code === "string" &&
    (code === undefined || (error as PortleaseError).code === code)
  );
}

/** Makes the error of what the native library threw: a JSON text in its message. */
export function toPortleaseError(thrown: unknown): unknown {
  if (thrown instanceof Error && thrown.message.startsWith('{"code":')) {
    const { code, message, details } = JSON.parse(thrown.message) as PortleaseError;
    return new PortleaseError(code, message, details);
  }
  return thrown;
}
