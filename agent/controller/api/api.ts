import type { Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import type { Log } from "../../run/log.ts";
import type { Blobs } from "../../store/blobs.ts";
import type { Membership } from "../engine/membership.ts";
import type { Engine } from "../engine.ts";
import type { Keys, Process, User } from "../records.ts";
import type { Tables } from "../tables.ts";
import type { Passwords } from "./passwords.ts";
import type { Throttle } from "./throttle.ts";

/** What every endpoint may use. */
export interface Api {
  tables: Tables;
  blobs: Blobs;
  engine: Engine;
  members: Membership;
  log: Log;
  keys: Keys;
  passwords: Passwords;
  throttle: Throttle;
  /** The cluster's domain: the shared domain of the apps, too. */
  domain: string;
  version: string;
  /** The stack of apps that name none. */
  stack: string;
  /** This controller, the same after a restart: what it has begun and not finished is its own to clean. */
  id: string;
  /** Directory for uploads on their way. */
  uploads: string;
  /** Bytes. */
  uploadLimit: number;
  licenseFrom: "loopback" | "anywhere";
  /** Component types without which the cluster is not ready. */
  expected: readonly string[];
  /** A file or listing of an instance (a slot's index, or an instance's id); undefined: no such instance. */
  files(
    process: Process,
    what: { instance: string; path: string; range?: string | undefined },
  ): Promise<{ status: number; headers: Record<string, string>; body: Readable } | undefined>;
  /** Work that goes on after its answer; stopping waits for it. */
  background(what: string, work: () => Promise<unknown>): void;
}

export type Query = Readonly<Record<string, string>>;
export interface Href {
  href: string;
}

/** One request, as an endpoint sees it. */
export interface Call {
  params: Readonly<Record<string, string>>;
  query: Query;
  body: unknown;
  /** Who asks. On endpoints that are open to all it is an error to read it. */
  user: User;
  /** The base under which the client reached us, e.g. `http://api.tutti.localhost:8080`. */
  base: string;
  /** An absolute link. */
  href(path: string): Href;
  request: FastifyRequest;
}

/** An answer that is not just 200 with a body. */
export class Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Record<string, string>;
  constructor(status: number, body?: unknown, headers: Record<string, string> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export const created = (body: unknown) => new Answer(201, body);
export const nothing = () => new Answer(204);

export interface Endpoint {
  method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  path: string;
  run(call: Call): unknown;
  /** Anybody may ask, without a token. */
  open?: boolean;
  /** Answers before the license step too. */
  early?: boolean;
  /** Bytes of a JSON body, when more than usual. */
  bodyLimit?: number;
}

type Run = (call: Call) => unknown;
export const get = (path: string, run: Run): Endpoint => ({ method: "GET", path, run });
export const post = (path: string, run: Run): Endpoint => ({ method: "POST", path, run });
export const patch = (path: string, run: Run): Endpoint => ({ method: "PATCH", path, run });
export const remove = (path: string, run: Run): Endpoint => ({ method: "DELETE", path, run });
export const open = (endpoint: Endpoint): Endpoint => ({ ...endpoint, open: true });
/** Open, and there before the license step. */
export const early = (endpoint: Endpoint): Endpoint => ({ ...endpoint, open: true, early: true });
