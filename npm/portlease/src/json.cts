/** From JavaScript's values to JSON, without dropping what JSON cannot say. */

import { fileURLToPath } from "node:url";

import { PortleaseError } from "./error.cjs";

/** There are not more ports, so no list that makes sense is longer. */
const LONGEST_LIST = 65_536;
/** No value that is asked with is nested so deeply: this one is a circle. */
const DEEPEST = 8;

/** The value as JSON. Iterables become lists; what JSON has no word for is refused with its place. */
export function toJson(value: unknown): string {
  return JSON.stringify(plain(value, "", 0)) ?? "null";
}

function plain(value: unknown, path: string, depth: number): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return value;
    case "number":
      // JSON would say null. As text it is refused by whoever knows what belongs here, and shown.
      return Number.isFinite(value) ? value : String(value);
    case "object":
      return value === null ? null : plainObject(value, path, depth);
    default:
      throw invalid(path, `Here belongs no ${typeof value}.`, typeof value);
  }
}

function plainObject(value: object, path: string, depth: number): unknown {
  if (depth === DEEPEST) {
    throw invalid(path, "This is nested too deeply, or in a circle.", "an object");
  }
  try {
    return isIterable(value) ? list(value, path, depth) : table(value, path, depth);
  } catch (error) {
    if (error instanceof PortleaseError) {
      throw error;
    }
    throw invalid(path, `This cannot be read: ${text(error)}`, "an object", error);
  }
}

function list(values: Iterable<unknown>, path: string, depth: number): unknown[] {
  const answer: unknown[] = [];
  for (const value of values) {
    if (answer.length === LONGEST_LIST) {
      throw invalid(path, `This has more than ${LONGEST_LIST} values.`, "a list");
    }
    // In a list, JSON would say null for it as well.
    answer.push(value === undefined ? "undefined" : plain(value, `${path}[${answer.length}]`, depth + 1));
  }
  return answer;
}

function table(value: object, path: string, depth: number): Record<string, unknown> {
  if (value instanceof URL) {
    return (value.protocol === "file:" ? fileURLToPath(value) : value.href) as never;
  }
  // Without a prototype, so that `__proto__` is a key like any other.
  const answer = Object.create(null) as Record<string, unknown>;
  for (const key of Object.keys(value)) {
    const entry: unknown = (value as Record<string, unknown>)[key];
    answer[key] = plain(entry, path === "" ? key : `${path}.${key}`, depth + 1);
  }
  return answer;
}

function isIterable(value: object): value is Iterable<unknown> {
  return typeof (value as { [Symbol.iterator]?: unknown })[Symbol.iterator] === "function";
}

function text(error: unknown): string {
  try {
    return String(error);
  } catch {
    return "an error that cannot be shown";
  }
}

/** The error about a value at a place of what was given. */
export function invalid(path: string, problem: string, value: unknown, cause?: unknown): PortleaseError {
  const message = path === "" ? problem : `${path}: ${problem}`;
  const details = { path, value, nearest: null };
  return new PortleaseError("INVALID_ARGUMENT", message, details, cause === undefined ? undefined : { cause });
}
