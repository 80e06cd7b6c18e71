// The gateway's JSON API. A film goes as bare bytes: its name stays in the browser.

const TYPE_PREFIX = "urn:neumo:problem:";
let token = "";

/** Why there is no answer: the end of the problem's type, the server's detail (English), and
 * after how many seconds asking again makes sense (null: not said). */
export class Problem extends Error {
  constructor(type, detail = "", retrySeconds = null) {
    super(detail);
    Object.assign(this, { type, detail, retrySeconds });
  }
}

/** The access key of all later requests; kept in this variable only. */
export function useToken(value) {
  token = value;
}

/** The service's state and limits. */
export function status() {
  return ask("v1/status", {});
}

/** The prediction about `file` and its heat map, as `POST /v1/explanations` answers. */
export async function explain(file, signal) {
  if (file.size === 0) throw new Problem("empty");
  await checkReadable(file);
  const headers = { "Content-Type": "application/octet-stream" };
  return ask("v1/explanations", { method: "POST", body: file, headers, signal });
}

async function checkReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Problem("unreadable");
  }
}

async function ask(path, options) {
  const headers = { Accept: "application/json", ...options.headers };
  if (token) headers.Authorization = `Bearer ${token}`;
  const response = await send(path, { ...options, headers });
  // A proxy that signs users in leads to its own page, elsewhere, once a session is over.
  if (response.type === "opaqueredirect") throw new Problem("session");
  const document = await response.json().catch(() => null);
  if (!response.ok) throw problemOf(response, document ?? {});
  if (document === null) throw new Problem("session");
  return document;
}

async function send(path, options) {
  try {
    return await fetch(path, { ...options, redirect: "manual" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("network");
  }
}

function problemOf(response, document) {
  const seconds = Number.parseInt(response.headers.get("Retry-After"), 10);
  return new Problem(
    typeOf(response, String(document.type ?? "")),
    String(document.detail ?? ""),
    Number.isNaN(seconds) ? null : seconds,
  );
}

function typeOf(response, type) {
  if (!type.startsWith(TYPE_PREFIX)) return ofStatus(response.status);
  const told = type.slice(TYPE_PREFIX.length);
  return told === "unauthorized" && token ? "wrong-key" : told;
}

/** For an answer that is not the gateway's own, such as a proxy's. */
function ofStatus(code) {
  const types = { 401: "session", 403: "forbidden", 413: "too-large", 415: "media-type" };
  const gone = { 429: "rate-limit", 502: "unavailable", 503: "unavailable", 504: "deadline" };
  return { ...types, ...gone }[code] ?? "internal";
}
