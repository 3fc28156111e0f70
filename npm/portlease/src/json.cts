/** From JavaScript's values to JSON, without dropping what JSON cannot say. */

import { PortleaseError } from "./error.cjs";

/** There are not more ports, so no list that makes sense is longer. */
const LONGEST_LIST = 65_536;
/** No system has longer paths, and names are shorter. */
const LONGEST_TEXT = 32_768;
/** No value that is asked with is nested so deeply: this one is a circle. */
const DEEPEST = 8;
/** Under these keys stand ports, so what is no number there is no port. */
const PORTS = /(?:^|\.)(?:(?:base|max|start)?[pP]ort|ports|preferred|exclude|spillover|emergency|ranges)(?:\[\d+\])*$/;

/** What JSON can say as it is. */
export type Plain = string | number | boolean | null | undefined | Plain[] | PlainObject;

/** An object that is nothing but its keys and values. */
export interface PlainObject {
  [key: string]: Plain;
}

/** The path of a file's URL; where there are no files, the URL itself. */
let pathOf = (url: URL): string => url.href;

/** Says what there is to know about URLs of files, which only somebody knows who has files. */
export function readFileUrls(by: (url: URL) => string): void {
  pathOf = by;
}

/** The value as JSON. */
export function toJson(value: unknown): string {
  return JSON.stringify(plain(value)) ?? "null";
}

/**
 * The value as JSON can say it. Iterables become lists; what JSON has no word for is refused with its place. Whatever a getter or a proxy
 * does, it does here, and once.
 */
export function plain(value: unknown, path = "", depth = 0): Plain {
  switch (typeof value) {
    case "string":
      if (value.length > LONGEST_TEXT) {
        throw invalid(path, `This text is longer than ${LONGEST_TEXT} letters.`, "a text");
      }
      return value;
    case "boolean":
    case "undefined":
      return value;
    case "number":
      // JSON would say null.
      if (!Number.isFinite(value)) {
        throw PORTS.test(path) ? noPort(value) : invalid(path, `Here belongs no ${value}.`, String(value));
      }
      return value;
    case "object":
      return value === null ? null : plainObject(value, path, depth);
    default:
      throw invalid(path, `Here belongs no ${typeof value}.`, typeof value);
  }
}

/** The same for what has to be an object with keys. */
export function options(value: unknown, path = ""): PlainObject {
  const answer = plain(value, path);
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) {
    throw invalid(path, `Here belongs an object, not ${named(answer)}.`, named(answer));
  }
  return answer;
}

/** What kind of value it is, in words. */
export function named(value: Plain): string {
  if (Array.isArray(value)) {
    return "a list";
  }
  return typeof value === "object" && value !== null ? "an object" : String(value).slice(0, 80);
}

function plainObject(value: object, path: string, depth: number): Plain {
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

function list(values: Iterable<unknown>, path: string, depth: number): Plain[] {
  const answer: Plain[] = [];
  for (const value of values) {
    if (answer.length === LONGEST_LIST) {
      throw invalid(path, `This has more than ${LONGEST_LIST} values.`, "a list");
    }
    // JSON says null for what is undefined in a list, and so do we.
    answer.push(plain(value, `${path}[${answer.length}]`, depth + 1));
  }
  return answer;
}

function table(value: object, path: string, depth: number): Plain {
  if (value instanceof URL) {
    return value.protocol === "file:" ? pathOf(value) : value.href;
  }
  // Dates and promises have no keys, so they would say nothing: whoever forgot to wait has to hear of it.
  const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  if (kind !== "Object") {
    throw invalid(path, `Here belongs no ${kind}.`, kind.slice(0, 80));
  }
  // Without a prototype, so that `__proto__` is a key like any other.
  const answer = Object.create(null) as PlainObject;
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
export function invalid(path: string, problem: string, value: string, cause?: unknown): PortleaseError {
  const message = path === "" ? problem : `${path}: ${problem}`;
  const details = { path, value, nearest: null };
  return new PortleaseError("INVALID_ARGUMENT", message, details, cause === undefined ? undefined : { cause });
}

/** The error about a value that should be a port. */
export function noPort(value: unknown): PortleaseError {
  const message = `"${String(value)}" is not a port: a port is a whole number from 1 to 65535.`;
  return new PortleaseError("INVALID_PORT", message, { value: String(value) });
}
