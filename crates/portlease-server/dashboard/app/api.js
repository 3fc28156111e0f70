// Questions to the service. Whoever asks without the token waits until somebody has typed it.

/** @typedef {{ title?: string, code?: string, detail?: string, details?: any }} ProblemDetails */

/** What the service says when it refuses, or that it cannot be reached. */
export class Problem extends Error {
  /**
   * @param {number} status 0 when there was no answer at all
   * @param {ProblemDetails} told
   */
  constructor(status, told) {
    super(told.detail ?? told.title ?? `The service answered ${status}.`);
    this.status = status;
    this.code = told.code;
    this.details = told.details;
  }
}

const KEY = "portlease.token";

/** @type {(wasWrong: boolean) => Promise<string>} */
let askForToken = () => Promise.reject(new Problem(401, { detail: "This service asks for its token." }));

/**
 * Says how somebody is asked for the token.
 * @param {(wasWrong: boolean) => Promise<string>} by
 */
export function onTokenNeeded(by) {
  askForToken = by;
}

/** @type {Promise<void> | undefined} */
let asking;

/** @param {string | null} used the token that was refused, if there was one */
function newToken(used) {
  asking ??= askForToken(used !== null)
    .then((token) => sessionStorage.setItem(KEY, token))
    .finally(() => (asking = undefined));
  return asking;
}

/**
 * The answer of the service, when it is one that says yes.
 * @param {string} path
 * @param {RequestInit & { headers?: Record<string, string> }} [request]
 * @returns {Promise<Response>}
 */
export async function call(path, request = {}) {
  const token = sessionStorage.getItem(KEY);
  const headers = { ...request.headers, ...(token !== null && { authorization: `Bearer ${token}` }) };
  const response = await fetch(path, { ...request, headers, credentials: "omit", cache: "no-store" }).catch((error) => {
    throw request.signal?.aborted ? error : new Problem(0, { detail: "The service does not answer. Is `portlease serve` still running?" });
  });
  if (response.ok) {
    return response;
  }
  if (response.status === 401) {
    // Somebody may have typed it while this one was under way.
    if (token === sessionStorage.getItem(KEY)) {
      await newToken(token);
    }
    return call(path, request);
  }
  throw new Problem(response.status, await response.json().catch(() => ({})));
}

/**
 * @param {string} path
 * @returns {Promise<any>}
 */
export async function get(path) {
  return (await call(path)).json();
}

/**
 * @param {string} path
 * @param {object} body
 * @param {"POST" | "DELETE"} [method]
 * @returns {Promise<any>}
 */
export async function send(path, body, method = "POST") {
  const headers = { "content-type": "application/json" };
  return (await call(path, { method, headers, body: JSON.stringify(body) })).json();
}
