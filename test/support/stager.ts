import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdtemp, readdir, readFile, realpath, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { writeZip } from "../../agent/archive/zip.ts";
import type { Bus } from "../../agent/bus/bus.ts";
import { memoryNet } from "../../agent/bus/memory.ts";
import type { LogLines } from "../../agent/bus/messages/component.ts";
import type { StagingRequest, StagingResult } from "../../agent/bus/messages/staging.ts";
import { at } from "../../agent/bus/subject.ts";
import { subjects } from "../../agent/bus/subjects.ts";
import { silent } from "../../agent/run/log.ts";
import { type Running, start } from "../../agent/run/runner.ts";
import type { StagerOptions } from "../../agent/stager/options.ts";
import { stager } from "../../agent/stager/stager.ts";

export const examples = fileURLToPath(new URL("../../examples/apps", import.meta.url));

/** An app as text of its files. */
export type Files = Record<string, string>;

/** What stands for the controller: serves bits, takes droplets. */
export interface Desk {
  url: string;
  /** What was uploaded, by the path it was posted to. */
  droplets: Map<string, Buffer>;
  /** Answers at these paths instead of the usual. */
  odd: Map<string, (request: IncomingMessage, response: ServerResponse) => void>;
  /** Path of bits served at `/bits/NAME`. */
  bits: Map<string, string>;
  close(): Promise<void>;
}

async function openDesk(): Promise<Desk> {
  const desk = { droplets: new Map(), odd: new Map(), bits: new Map() } as Omit<Desk, "url" | "close">;
  const server = createServer((request, response) => serve(desk, request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { ...desk, url, close: () => closed(server) };
}

function serve(desk: Omit<Desk, "url" | "close">, request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? "";
  const odd = desk.odd.get(path);
  const bits = desk.bits.get(path);
  if (odd) odd(request, response);
  else if (request.method === "GET" && bits) createReadStream(bits).pipe(response);
  else if (request.method === "POST") take(desk, request, response);
  else response.writeHead(404).end("there are no bits");
}

function take(desk: Pick<Desk, "droplets">, request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    desk.droplets.set(request.url ?? "", filePart(Buffer.concat(chunks), request.headers["content-type"] ?? ""));
    response.end();
  });
}

function filePart(body: Buffer, type: string): Buffer {
  const boundary = /boundary=(.+)$/.exec(type)?.[1] ?? "";
  const head = body.subarray(0, body.indexOf("\r\n\r\n")).toString();
  if (!/name="upload\[droplet\]"; filename="/.test(head)) throw new Error(`no file part upload[droplet]: ${head}`);
  return body.subarray(body.indexOf("\r\n\r\n") + 4, body.lastIndexOf(`\r\n--${boundary}`));
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
}

/** A stager at work on a bus in memory, with a desk for its requests. */
export interface Shop {
  desk: Desk;
  /** The controller's connection. */
  bus: Bus;
  home: string;
  running: Running;
  logs: LogLines[];
  /** Zips files and makes a request for them. */
  order(files: Files | string, properties?: Partial<StagingRequest["properties"]>): Promise<StagingRequest>;
  /** Sends a request and waits for its answer on a notify subject. */
  stage(request: StagingRequest): Promise<StagingResult>;
  droplet(request: StagingRequest): Buffer;
  close(): Promise<void>;
}

export async function openShop(options: Partial<StagerOptions> = {}): Promise<Shop> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), "tutti-stager-")));
  const desk = await openDesk();
  const net = memoryNet();
  const bus = net.join();
  const home = join(dir, "home");
  const base = { bus: net.join(), log: silent, index: 0, address: "127.0.0.1", beat: 100, home };
  const running = start(stager({ ...base, ...options }));
  await running.ready;
  const logs: LogLines[] = [];
  bus.subscribe(subjects.log, (lines) => logs.push(lines));
  return {
    desk,
    bus,
    home,
    running,
    logs,
    order: (files, properties = {}) => order({ dir, desk }, files, properties),
    stage: (request) => stage(bus, request),
    droplet: (request) => desk.droplets.get(new URL(request.upload_uri).pathname) ?? Buffer.alloc(0),
    async close() {
      await running.stop();
      await desk.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function order(
  { dir, desk }: { dir: string; desk: Desk },
  files: Files | string,
  properties: Partial<StagingRequest["properties"]>,
): Promise<StagingRequest> {
  const key = randomBytes(8).toString("hex");
  const zip = join(dir, `${key}.zip`);
  const sources = typeof files === "string" ? await filesIn(files) : Object.entries(files);
  await writeZip(
    zip,
    sources.map(([name, text]) => ({ name, mode: 0o644, open: () => Readable.from([Buffer.from(text)]) })),
  );
  desk.bits.set(`/bits/${key}`, zip);
  return {
    app_id: `app-${key}`,
    properties: {
      services: [],
      framework: "",
      runtime: "",
      resources: { mem: 256, disk: 1024, fds: 1024 },
      environment: [],
      meta: {},
      ...properties,
    },
    download_uri: `${desk.url}/bits/${key}`,
    upload_uri: `${desk.url}/droplets/${key}`,
  };
}

async function filesIn(directory: string): Promise<[string, string][]> {
  const all = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = all.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  return Promise.all(
    files.map(async (file) => [relative(directory, file), await readFile(file, "utf8")] as [string, string]),
  );
}

async function stage(bus: Bus, request: StagingRequest): Promise<StagingResult> {
  const notify = `cc.staging.${randomBytes(16).toString("hex")}`;
  const { promise, resolve } = Promise.withResolvers<StagingResult>();
  const heard = bus.subscribe({ ...subjects.stagingDone, name: notify }, resolve);
  bus.publish(at(subjects.stager, { queue: "staging" }), { ...request, notify_subj: notify });
  const result = await promise;
  heard.stop();
  return result;
}

/** The `error` of a failed staging. */
export function failure(result: StagingResult): { class: string; details: string } {
  return JSON.parse(result.error ?? '{"class":"none","details":"it did not fail"}');
}

/** The command lines of all processes of this machine. */
export async function commandLines(): Promise<string> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return lines.map((line) => line.replaceAll("\0", " ")).join("\n");
}

/** Whether a program runs to its end here. */
export function works(command: string, args: string[], path = process.env["PATH"]): boolean {
  return spawnSync(command, args, { env: { ...process.env, PATH: path }, stdio: "ignore" }).status === 0;
}
