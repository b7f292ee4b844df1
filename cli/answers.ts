import { Fault } from "./fault.ts";

/** An answer of the API as far as it was read. */
export interface Answer {
  status: number;
  type: string;
  text: string;
  location?: string | undefined;
  /** Set when the router answered by itself: `unknown_route`, `no_endpoints`, `endpoint_failure`. */
  routerError?: string | undefined;
}

interface V3Error {
  code?: number;
  title?: string;
  detail?: string;
}

/** The JSON of a good answer; throws what went wrong in words of the person who asked. Pure. */
export function read(answer: Answer, asked: { method: string; url: string }): unknown {
  const body = json(answer);
  if (answer.status < 300 && (body !== undefined || answer.text.trim() === "")) return body;
  throw fault(answer, body, asked);
}

function fault(answer: Answer, body: unknown, { method, url }: { method: string; url: string }): Fault {
  const host = new URL(url).host;
  const errors = v3Errors(body);
  const said = errors
    .map((error) => error.detail ?? error.title ?? "")
    .filter(Boolean)
    .join("; ");
  if (body === undefined || answer.routerError) return notJson(answer, host);
  if (answer.status === 401) {
    return new Fault("not logged in, or the login has expired", { code: "not_logged_in", hint: "tutti login" });
  }
  if (answer.status === 503 && /licen[cs]e/i.test(said)) {
    return new Fault("the cluster has no first user yet: its license step was not taken", {
      code: "license_needed",
      hint: "npx tutti solo up takes it on this machine; on a cluster: tutti bootstrap",
    });
  }
  const first = errors[0];
  return new Fault(said || `${method} ${new URL(url).pathname} was answered with status ${answer.status}`, {
    code: snake(first?.title?.replace(/^CF-/, "") ?? `http_${answer.status}`),
    hint: hintFor(answer.status),
  });
}

function hintFor(status: number): string | undefined {
  if (status === 403) return "you may not do this with your account, or in this space: tutti target shows both";
  if (status === 404) return "it may have been deleted meanwhile, or belong to another space: tutti target";
  if (status === 429) return "wait a little and try again";
  if (status >= 500) return "tutti status shows which parts of the cluster are in trouble";
  return undefined;
}

/** The router answers for hosts it does not know with a page of its own: then it is up and the API is not. */
function notJson(answer: Answer, host: string): Fault {
  if (answer.status === 404) {
    return new Fault(`the router answers at ${host}, but knows no such host`, {
      code: "api_unknown_to_router",
      hint: "is that the API's address (api.DOMAIN)? If it is, the controller is down or still starting: try again in a moment",
    });
  }
  if (answer.status >= 502) {
    return new Fault(`the router at ${host} cannot reach the controller (status ${answer.status})`, {
      code: "api_down",
      hint: "the controller is down or still starting: try again in a moment",
    });
  }
  return new Fault(`${host} answered with ${answer.type || "something"} instead of JSON (status ${answer.status})`, {
    code: "not_the_api",
    hint: "is that the API's address? It usually is api.DOMAIN",
  });
}

function json({ text, type }: Answer): unknown {
  if (!text.trim() || (type && !/json/i.test(type))) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Errors as API v3 lists them, and as UAA's token endpoint says them. */
function v3Errors(body: unknown): V3Error[] {
  if (typeof body !== "object" || body === null) return [];
  if ("errors" in body && Array.isArray(body.errors)) return body.errors as V3Error[];
  if ("error" in body && typeof body.error === "string") {
    const detail = "error_description" in body ? String(body.error_description) : body.error;
    return [{ title: body.error, detail }];
  }
  return [];
}

function snake(title: string): string {
  return title
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/\W+/g, "_")
    .toLowerCase();
}
