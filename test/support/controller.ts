import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { FastifyInstance } from "fastify";
import type { Api } from "../../agent/controller/api/api.ts";
import { complete } from "../../agent/controller/api/claim.ts";
import { passwords } from "../../agent/controller/api/passwords.ts";
import { bareServer, mountApi } from "../../agent/controller/api/server.ts";
import { throttle } from "../../agent/controller/api/throttle.ts";
import { tokens } from "../../agent/controller/api/tokens.ts";
import { type Background, background } from "../../agent/controller/background.ts";
import type { Membership } from "../../agent/controller/engine/membership.ts";
import type { Engine, InstanceView, LogEntry } from "../../agent/controller/engine.ts";
import type { Droplet, User } from "../../agent/controller/records.ts";
import { sharedKeys } from "../../agent/controller/sharedKeys.ts";
import { openTables, type Tables } from "../../agent/controller/tables.ts";
import type { Blobs } from "../../agent/store/blobs.ts";
import { memoryStore } from "../../agent/store/memory.ts";
import { memoryBlobs } from "../../agent/store/memoryBlobs.ts";
import type { Store } from "../../agent/store/store.ts";
import { recordingLog } from "./recordingLog.ts";

/** What the API told the engine, in order: `converge <guid>`, `log <text>` … */
export interface StandIn extends Engine {
  calls: string[];
  views: InstanceView[];
  lines: LogEntry[];
}

/** An engine that carries nothing out and remembers what it was told. */
export function standIn(): StandIn {
  const calls: string[] = [];
  const told =
    (what: string) =>
    async (one: { guid: string }): Promise<void> =>
      void calls.push(`${what} ${one.guid}`);
  const self: StandIn = {
    calls,
    views: [],
    lines: [],
    stage: told("stage"),
    converge: told("converge"),
    stop: told("stop"),
    stopInstance: async (process, index) => void calls.push(`stopInstance ${process.guid} ${index}`),
    routesChanged: told("routesChanged"),
    roll: told("roll"),
    instances: async () => self.views,
    running: async () => new Map(),
    logs: (_app, { limit, descending }) => {
      const lines = descending ? self.lines.toReversed() : self.lines;
      return lines.slice(0, limit);
    },
    log: (app, text) => void calls.push(`log ${app} ${text}`),
    trace: async () => [{ at: 1, subject: "dea.discover", what: "who has room?" }],
    audit: (entry) => void calls.push(`audit ${JSON.stringify(entry.slice(1))}`),
    nodes: () => [],
    components: async () => [],
  };
  return self;
}

export interface Reply {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  body: any;
  headers: Record<string, unknown>;
}

export interface Ask {
  body?: unknown;
  headers?: Record<string, string>;
  /** A token; absent: the admin's. */
  token?: string | undefined;
  anonymous?: boolean;
}

export interface TestApi {
  api: Api;
  app: FastifyInstance;
  tables: Tables;
  engine: StandIn;
  blobs: Blobs & { used(): number };
  admin: User;
  token: string;
  work: Background;
  log: string[];
  ask(method: "GET" | "POST" | "PATCH" | "DELETE" | "PUT", path: string, what?: Ask): Promise<Reply>;
  /** Waits for the job an answer points to; resolves to the job. */
  job(reply: Reply): Promise<Reply["body"]>;
  /** Listens on a real port and resolves to the base URL. */
  listen(): Promise<string>;
  close(): Promise<void>;
}

export interface TestApiOptions {
  store?: Store;
  blobs?: Blobs & { used(): number };
  /** False: the license step has not been taken. */
  licensed?: boolean;
  more?: Partial<Api>;
}

export const password = "correct horse battery";
/** Hashes are made to be slow; tests of other things take cheap ones. */
export const cheap = "m=64,t=1,p=1";
const hashed = passwords(cheap).hash(password);

/** The API with everything but a cluster behind it. */
export async function testApi({
  store = memoryStore(),
  blobs = memoryBlobs(),
  licensed = true,
  more,
}: TestApiOptions = {}): Promise<TestApi> {
  const tables = await openTables(store);
  const engine = standIn();
  const log = recordingLog();
  const work = background(log);
  const uploads = await mkdtemp(join(tmpdir(), "tutti-uploads-"));
  const keys = await sharedKeys(tables);
  const api: Api = {
    ...{ tables, blobs, engine, log, keys, passwords: passwords(cheap), throttle: throttle(), uploads },
    ...{ domain: "tutti.test", version: "0.0.1", stack: "tutti", id: randomUUID(), uploadLimit: 64 * 1024 * 1024 },
    ...{ licenseFrom: "loopback" as const, expected: ["CloudController"], files: async () => undefined },
    background: work.begin,
    members: nobody,
    ...more,
  };
  if (licensed) await takeLicense(api);
  const app = bareServer(log);
  mountApi(app, api);
  await app.ready();
  const admin = tables.users.all()[0] as User;
  const token = licensed ? (await tokens(keys.tokens).access(admin, "http://test")).token : "";
  const ask = asking(app, token);
  const close = async () => {
    await work.settled();
    await app.close();
    tables.close();
    await rm(uploads, { recursive: true, force: true });
  };
  const job = async (reply: Reply) => {
    await work.settled();
    return (await ask("GET", new URL(String(reply.headers["location"])).pathname)).body;
  };
  const listen = () => app.listen({ host: "127.0.0.1", port: 0 });
  return { api, app, tables, engine, blobs, admin, token, work, log: log.lines, ask, job, listen, close };
}

/** A cluster of one machine. */
const nobody: Membership = {
  newcomer: undefined,
  all: async () => [],
  claim: async () => undefined,
  revoke: async () => undefined,
};

async function takeLicense({ tables, domain }: Api): Promise<void> {
  const passwordHash = await hashed;
  const at = new Date().toISOString();
  await tables.license
    .create("license", { user: randomUUID(), email: "me@tutti.test", at, passwordHash })
    .catch(() => {});
  await complete({ tables, domain });
}

function asking(app: FastifyInstance, token: string): TestApi["ask"] {
  return async (method, url, { body, headers = {}, token: other = token, anonymous = false } = {}) => {
    const reply = await app.inject({
      method,
      url,
      headers: { host: "api.tutti.test", ...(!anonymous && { authorization: `bearer ${other}` }), ...headers },
      ...(body !== undefined && { payload: body as object }),
    });
    const json = String(reply.headers["content-type"] ?? "").includes("json");
    return { status: reply.statusCode, body: json ? reply.json() : reply.body, headers: reply.headers };
  };
}

export const spaceGuid = ({ tables }: Pick<TestApi, "tables">): string => tables.spaces.all()[0]?.guid ?? "";
export const domainGuid = ({ tables }: Pick<TestApi, "tables">): string => tables.domains.all()[0]?.guid ?? "";

/** An app made by the API. */
export async function newApp(test: TestApi, name = `app-${randomBytes(3).toString("hex")}`): Promise<string> {
  const body = { name, relationships: { space: { data: { guid: spaceGuid(test) } } } };
  const reply = await test.ask("POST", "/v3/apps", { body });
  if (reply.status !== 201) throw new Error(JSON.stringify(reply.body));
  return reply.body.guid;
}

/** A droplet as a staging leaves it. */
export async function newDroplet(
  { tables, blobs }: Pick<TestApi, "tables" | "blobs">,
  app: string,
  bytes: string = randomUUID(),
): Promise<Droplet> {
  const { sha256, sha1, size } = await blobs.put(Readable.from([bytes]));
  const at = new Date().toISOString();
  return await tables.droplets.insert({
    ...{ guid: randomUUID(), created_at: at, updated_at: at, app, state: "STAGED", sha256, sha1, size },
    ...{
      stack: "tutti",
      process_types: { web: "node app.js", worker: "node worker.js" },
      detected_framework: "nodejs",
    },
    ...{ execution_metadata: "", metadata: { labels: {}, annotations: {} } },
  });
}

/** An app that has been pushed and started. */
export async function startedApp(test: TestApi, name?: string): Promise<string> {
  const guid = await newApp(test, name);
  const { guid: droplet } = await newDroplet(test, guid);
  await test.ask("PATCH", `/v3/apps/${guid}/relationships/current_droplet`, { body: { data: { guid: droplet } } });
  const reply = await test.ask("POST", `/v3/apps/${guid}/actions/start`);
  if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
  test.engine.calls.length = 0;
  return guid;
}

/** A package that waits for its bits. */
export async function newPackage(test: TestApi, app: string): Promise<string> {
  const body = { type: "bits", relationships: { app: { data: { guid: app } } } };
  return (await test.ask("POST", "/v3/packages", { body })).body.guid;
}

/** The parts of an upload as a client sends them. */
export function uploadForm({ bits, resources }: { bits?: Buffer | undefined; resources?: unknown }): FormData {
  const form = new FormData();
  if (resources !== undefined) form.append("resources", JSON.stringify(resources));
  if (bits) form.append("bits", new Blob([new Uint8Array(bits)]), "package.zip");
  return form;
}
