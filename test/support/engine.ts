import { randomBytes, randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import fastify, { type FastifyInstance } from "fastify";
import { type MemoryNet, memoryNet } from "../../agent/bus/memory.ts";
import type { StagingRequest, StagingResult } from "../../agent/bus/messages/staging.ts";
import { subjects } from "../../agent/bus/subjects.ts";
import { type CreatedEngine, createEngine } from "../../agent/controller/engine/createEngine.ts";
import type { App, Build, Droplet, Package, Process } from "../../agent/controller/records.ts";
import { openTables, type Tables } from "../../agent/controller/tables.ts";
import { type Running, start } from "../../agent/run/runner.ts";
import type { Blobs } from "../../agent/store/blobs.ts";
import { memoryStore } from "../../agent/store/memory.ts";
import { memoryBlobs } from "../../agent/store/memoryBlobs.ts";
import type { Store } from "../../agent/store/store.ts";
import { type FakeDea, type FakeDeaOptions, fakeDea } from "./fakeDea.ts";
import { recordingLog } from "./recordingLog.ts";
import { until } from "./until.ts";

export const beat = 20;

/** One controller's engine on the bus and over HTTP, with tables of its own on the shared store. */
export interface Controller extends CreatedEngine {
  bus: TestBus;
  tables: Tables;
  url: string;
  log: string[];
  stop(): Promise<void>;
}

type TestBus = ReturnType<MemoryNet["join"]>;

/** What a cluster of these stands on: in memory, or the real parts. */
export interface Ground {
  join(onProblem?: (problem: string) => void): TestBus;
  store: Store;
  blobs: Blobs & { used(): number };
}

export interface TestCluster extends Ground {
  /** The bus of a bystander. */
  tool: TestBus;
  /** `beat`: ms of this one, when the beat shall play no part. */
  controller(more?: { beat?: number }): Promise<Controller>;
  dea(options?: Partial<FakeDeaOptions>): FakeDea;
  close(): Promise<void>;
}

/** Everything in this process. `room`: bytes the blob store takes. */
export function memoryGround({ room }: { room?: number | undefined } = {}): Ground {
  return { join: memoryNet().join, store: memoryStore(), blobs: memoryBlobs(room === undefined ? {} : { room }) };
}

export function testCluster(ground: Ground = memoryGround()): TestCluster {
  const closing: (() => unknown)[] = [];
  let index = 0;
  return {
    ...ground,
    tool: ground.join(),
    async controller(more = {}) {
      const one = await controller(ground, { index: index++, beat, ...more });
      closing.push(() => one.stop());
      return one;
    },
    dea(options = {}) {
      const one = fakeDea(ground.join(), { id: `0-${randomBytes(16).toString("hex")}`, beat, ...options });
      closing.push(() => one.leave());
      return one;
    },
    async close() {
      for (const end of closing.reverse()) await end();
    },
  };
}

async function controller(
  { join, store, blobs }: Ground,
  { index, beat: pace }: { index: number; beat: number },
): Promise<Controller> {
  const log = recordingLog();
  const bus = join((problem) => log.lines.push(`problem ${problem}`));
  const tables = await openTables(store);
  const http: FastifyInstance = fastify({ forceCloseConnections: true });
  let url = "";
  const made = createEngine({
    ...{ bus, store, tables, blobs, log, index, beat: pace },
    ...{ address: "127.0.0.1", domain: "test.example", home: "/nowhere" },
    keys: { urls: "a key for urls", bulk: "bulk secret" },
    url: () => url,
  });
  made.mount(http);
  url = await http.listen({ host: "127.0.0.1", port: 0 });
  const running: Running = start(made.runner);
  await running.ready;
  const stop = async () => {
    await running.stop();
    await http.close();
    tables.close();
    await bus.close();
  };
  return { ...made, bus, tables, url, log: log.lines, stop };
}

/** Waits until adverts alone tell which DEAs there are and what they hold. */
export const settled = () => new Promise((resolve) => setTimeout(resolve, 8 * beat));

export interface Pushed {
  app: App;
  process: Process;
  droplet: Droplet;
}

/** Records of an app as the API leaves them after a push, started unless said otherwise. */
export async function pushed(
  tables: Tables,
  more: { app?: Partial<App>; process?: Partial<Process> } = {},
): Promise<Pushed> {
  const space = tables.spaces.all()[0] ?? (await firstSpace(tables));
  const guid = randomUUID();
  const name = `app-${guid.slice(0, 4)}`;
  const droplet = await insertDroplet(tables, guid);
  const app = await tables.apps.insert({
    ...base(guid),
    ...{ name, space: space.guid, state: "STARTED", buildpacks: [], stack: "" },
    ...{ env: { GREETING: "hi there" }, droplet: droplet.guid, features: {}, metadata },
    ...more.app,
  });
  const process = await tables.processes.insert({ ...webProcess(app), ...more.process });
  await tables.routes.insert({
    ...base(randomUUID()),
    ...{ host: name, path: "", domain: tables.domains.all()[0]?.guid ?? "", space: space.guid, metadata },
    destinations: [{ guid: randomUUID(), app: guid, process_type: "web" }],
  });
  return { app, process, droplet };
}

const metadata = { labels: {}, annotations: {} };

export function base(guid: string) {
  const at = new Date().toISOString();
  return { guid, created_at: at, updated_at: at };
}

export function webProcess(app: App): Process {
  return {
    ...base(app.guid),
    ...{ app: app.guid, type: "web", instances: 1, memory_in_mb: 128, disk_in_mb: 64, version: randomUUID() },
    ...{ health_check: { type: "port" }, metadata },
  };
}

export async function insertDroplet(tables: Tables, app: string): Promise<Droplet> {
  return await tables.droplets.insert({
    ...base(randomUUID()),
    ...{ app, state: "STAGED", sha1: randomBytes(20).toString("hex"), sha256: randomBytes(32).toString("hex") },
    ...{ size: 10, stack: "", process_types: { web: "node app.js" }, detected_framework: "nodejs" },
    ...{ execution_metadata: "", metadata },
  });
}

async function firstSpace(tables: Tables) {
  const organization = await tables.organizations.insert({
    ...base(randomUUID()),
    name: "acme",
    suspended: false,
    metadata,
  });
  await tables.domains.insert({ ...base(randomUUID()), name: "apps.example", internal: false, metadata });
  return await tables.spaces.insert({ ...base(randomUUID()), name: "dev", organization: organization.guid, metadata });
}

/** A build of a package whose bits are there. */
export async function insertBuild(
  { tables, blobs }: { tables: Tables; blobs: Ground["blobs"] },
  app: App,
  bits = "the bits",
) {
  const { sha256 } = await blobs.put(Readable.from([bits]));
  const pkg: Package = { ...base(randomUUID()), app: app.guid, state: "READY", sha256, metadata };
  await tables.packages.insert(pkg);
  const build: Build = {
    ...base(randomUUID()),
    ...{ app: app.guid, package: pkg.guid, state: "STAGING", buildpacks: [], stack: "" },
    ...{ memory_in_mb: 256, disk_in_mb: 512, created_by: "somebody", metadata },
  };
  await tables.builds.insert(build);
  return { pkg, build };
}

export interface FakeStager {
  requests: StagingRequest[];
  /** Uploads the text as a droplet; resolves to the status of the answer. */
  upload(request: StagingRequest, text: string): Promise<number>;
  answer(request: StagingRequest, result: Partial<StagingResult>): void;
  leave(): void;
}

/** A stager that does what the test says. It answers discovery, so that it is seen to be there. */
export function fakeStager(
  cluster: TestCluster,
  work: (request: StagingRequest, self: FakeStager) => unknown = () => {},
  uptime?: string,
): FakeStager {
  const bus = cluster.join();
  const requests: StagingRequest[] = [];
  const uuid = `0-${randomBytes(16).toString("hex")}`;
  const self: FakeStager = {
    requests,
    async upload(request, text) {
      const form = new FormData();
      form.append("upload[droplet]", new Blob([text]), "droplet.tgz");
      return (await fetch(request.upload_uri, { method: "POST", body: form })).status;
    },
    answer: ({ notify_subj = "" }, result) =>
      bus.publish({ ...subjects.stagingDone, name: notify_subj }, { task_id: "task", task_log: "", ...result }),
    leave: () => void bus.close(),
  };
  const hello = {
    type: "Stager",
    index: 0,
    uuid,
    host: "127.0.0.1:1",
    credentials: ["a", "b"] as [string, string],
    start: "now",
    uptime,
  };
  bus.subscribe(subjects.discover, (_nothing, message) => message.reply(hello));
  bus.subscribe(subjects.stager, async (request) => {
    requests.push(request);
    await work(request, self);
  });
  return self;
}

/** Waits until a table's record is as wanted and returns it. */
export async function becomes<T>(read: () => T | undefined, good: (record: T) => unknown, what: string): Promise<T> {
  let last: T | undefined;
  await until(
    () => {
      last = read();
      return last !== undefined && good(last);
    },
    { what },
  );
  return last as T;
}
