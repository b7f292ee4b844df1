import type { Readable } from "node:stream";
import { type Answer, read } from "./answers.ts";
import { type Config, writeConfig } from "./config.ts";
import { Fault } from "./fault.ts";
import type { Http, Request } from "./http.ts";
import { poll } from "./poll.ts";
import { grant, stale } from "./tokens.ts";

export type Query = Record<string, string | number | undefined>;

/** The cluster's API, version 3, as the person who is logged in. Everything rejects with a Fault. */
export interface Api {
  readonly target: string;
  get<T>(path: string, query?: Query): Promise<T>;
  /** As `get`; undefined where there is nothing of that name (404). */
  maybe<T>(path: string, query?: Query): Promise<T | undefined>;
  post<T>(path: string, body?: object): Promise<T>;
  patch<T>(path: string, body: object): Promise<T>;
  /** Resolves when the job behind it is through. */
  delete(path: string): Promise<void>;
  /** All pages of a list. */
  all<T>(path: string, query?: Query): Promise<T[]>;
  /** Sends a stream once, under the given headers. */
  upload<T>(path: string, headers: Record<string, string>, body: Readable): Promise<T>;
  /** An answer whose body is read as it comes. */
  open(path: string): Promise<Opened>;
  /** The bare answer, for `tutti curl` and for files. Full URLs are allowed and get no token unless they are the API's. */
  raw(request: Omit<Request, "url"> & { path: string }): Promise<Answer>;
}

export interface Opened {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Readable;
}

interface Page<T> {
  resources: T[];
  pagination?: { next?: { href: string } | null };
}

/** Adds identity to HTTP: the access token goes along, is renewed before it ends, and once more when it is refused. */
export function makeApi(http: Http, config: Config & { target: string }, env: NodeJS.ProcessEnv): Api {
  const tokens = keeper(http, config, env);
  const raw: Api["raw"] = async ({ path, ...request }) => {
    const url = new URL(path, `${config.target}/`).href;
    const ours = url.startsWith(`${config.target}/`);
    const send = async (token: string | undefined) =>
      http.send({
        ...request,
        url,
        headers: { ...request.headers, ...(token && { authorization: `bearer ${token}` }) },
      });
    const answer = await send(ours ? await tokens.current() : undefined);
    // A stream is spent after the first try; its token was checked by the requests before it.
    const again = answer.status === 401 && ours && !isStream(request.body) && (await tokens.renew());
    return again ? send(again) : answer;
  };
  const call = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const answer = await raw({ method, path, headers: jsonHeaders(body), body: body ? JSON.stringify(body) : null });
    return read(answer, { method, url: new URL(path, `${config.target}/`).href }) as T;
  };
  const get = <T>(path: string, query: Query = {}) => call<T>("GET", path + search(path, query));
  return {
    target: config.target,
    raw,
    get,
    async open(path) {
      // A refused token shows in the answer; renewing it is left to the requests before this one.
      const token = await tokens.current();
      const headers: Record<string, string> = token ? { authorization: `bearer ${token}` } : {};
      const { statusCode, ...answer } = await http.open({ method: "GET", url: `${config.target}${path}`, headers });
      return { status: statusCode, headers: answer.headers, body: answer.body };
    },
    maybe: <T>(path: string, query?: Query) => get<T>(path, query).catch(missing),
    post: (path, body) => call("POST", path, body ?? {}),
    patch: (path, body) => call("PATCH", path, body),
    async all<T>(path: string, query: Query = {}) {
      const found: T[] = [];
      let next: string | undefined = path + search(path, { per_page: 200, ...query });
      while (next) {
        const page: Page<T> = await call<Page<T>>("GET", next);
        found.push(...page.resources);
        next = page.pagination?.next?.href && relative(page.pagination.next.href);
      }
      return found;
    },
    async delete(path) {
      const answer = await raw({ method: "DELETE", path, headers: jsonHeaders() });
      read(answer, { method: "DELETE", url: `${config.target}${path}` });
      if (answer.location) await finished(get, relative(answer.location));
    },
    async upload<T>(path: string, headers: Record<string, string>, body: Readable) {
      const answer = await raw({ method: "POST", path, headers, body, patience: 300_000 });
      return read(answer, { method: "POST", url: `${config.target}${path}` }) as T;
    },
  };
}

function keeper(http: Http, config: Config, env: NodeJS.ProcessEnv) {
  let renewing: Promise<string | undefined> | undefined;
  const renew = async () => {
    const { login, refreshToken } = config;
    if (!login || !refreshToken) return undefined;
    const fresh = await grant(http, login, { grant_type: "refresh_token", refresh_token: refreshToken });
    config.accessToken = fresh.accessToken;
    config.refreshToken = fresh.refreshToken ?? refreshToken;
    await writeConfig(env, config);
    return fresh.accessToken;
  };
  // Requests at the same time share one renewal: a refresh token may be good for one use only.
  const once = () => {
    renewing ??= renew().finally(() => {
      renewing = undefined;
    });
    return renewing;
  };
  return {
    renew: once,
    async current() {
      const token = config.accessToken;
      return token && stale(token, Date.now()) ? ((await once()) ?? token) : token;
    },
  };
}

/** Waits for an asynchronous job; its errors become ours. */
async function finished(get: Api["get"], path: string): Promise<void> {
  interface Job {
    state: string;
    errors?: { title?: string; detail?: string }[];
  }
  const done = await poll(async () => {
    const job = await get<Job>(path);
    return job.state === "COMPLETE" || job.state === "FAILED" ? job : undefined;
  }, 300_000);
  if (done?.state === "COMPLETE") return;
  if (done) {
    throw new Fault(done.errors?.map((error) => error.detail).join("; ") || "the job failed", { code: "job_failed" });
  }
  throw new Fault("the cluster is still at it after 5 minutes", { code: "job_timeout", hint: "tutti status" });
}

/** Links in answers name the host as the controller knows it; the way we came in is the one that works. */
function relative(href: string): string {
  const { pathname, search } = new URL(href, "http://x");
  return pathname + search;
}

function missing(error: unknown): undefined {
  if (error instanceof Fault && /not_found|http_404/.test(error.code)) return undefined;
  throw error;
}

function search(path: string, query: Query): string {
  const pairs = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)] as [string, string]],
  );
  return pairs.length ? `${path.includes("?") ? "&" : "?"}${new URLSearchParams(pairs)}` : "";
}

function jsonHeaders(body?: object): Record<string, string> {
  return { accept: "application/json", ...(body && { "content-type": "application/json" }) };
}

function isStream(body: unknown): boolean {
  return typeof body === "object" && body !== null && "pipe" in body;
}
