import { execFileSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { z } from "zod";
import type { Bus } from "../../agent/bus/bus.ts";
import { memoryNet } from "../../agent/bus/memory.ts";
import type { DeaFound, DeaStart, StartAnswer } from "../../agent/bus/messages/instance.ts";
import { at } from "../../agent/bus/subject.ts";
import { subjects } from "../../agent/bus/subjects.ts";
import { type Dea, dea } from "../../agent/dea/dea.ts";
import type { DeaOptions } from "../../agent/dea/options.ts";
import type { Log } from "../../agent/run/log.ts";
import { type Running, start } from "../../agent/run/runner.ts";

/** Polls until `look` gives something; says what it waited for when it never does. */
export async function until<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>) {
  const end = Date.now() + 45_000;
  while (Date.now() < end) {
    const seen = await look();
    if (seen) return seen;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`never: ${what}`);
}

/** A directory that is gone after the test. Others than root may pass through it. */
export function scratch(): string {
  const path = mkdtempSync(join(tmpdir(), "tutti-dea-"));
  chmodSync(path, 0o711);
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export type Files = Record<string, string>;

const startupScript = `#!/bin/sh
if [ "$1" = -p ]; then shift 2; fi
cd app
if [ $# -gt 0 ]; then exec sh -c "$*"; fi
exec node app.js
`;

/** A droplet tarball of these files, `startup` included unless given. Returns its path and SHA-1. */
export function droplet(files: Files, edit: (directory: string) => void = () => {}) {
  const directory = scratch();
  const content = join(directory, "content");
  for (const [name, text] of Object.entries({ startup: startupScript, ...files })) {
    mkdirSync(dirname(join(content, name)), { recursive: true });
    writeFileSync(join(content, name), text, { mode: name === "startup" ? 0o755 : 0o644 });
  }
  mkdirSync(join(content, "app"), { recursive: true });
  mkdirSync(join(content, "logs"), { recursive: true });
  edit(content);
  const path = join(directory, "droplet.tgz");
  execFileSync("tar", ["-czPf", path, "-C", content, "."]);
  return served(path);
}

export function served(path: string) {
  return { path, sha1: createHash("sha1").update(readFileSync(path)).digest("hex") };
}

/** An app that listens on its port and says its pid, its environment and its user. */
export const hello: Files = {
  "app/app.js": `
    const http = require("node:http");
    console.log("hello from " + process.pid);
    console.error("a warning");
    http.createServer((request, response) => {
      if (request.url === "/env") return response.end(JSON.stringify({ ...process.env, UID: String(process.getuid()) }));
      if (request.url === "/exit") process.exit(3);
      response.end(String(process.pid));
    }).listen(process.env.PORT);`,
};

/** A shell script as an app. */
export const shell = (script: string): Files => ({ startup: `#!/bin/sh\n${script}\n` });

/** Gives files out over HTTP and counts. */
export async function blobServer() {
  const blobs = new Map<string, Buffer>();
  const asked: string[] = [];
  const server = http.createServer((request, response) => {
    const bytes = blobs.get(request.url?.split("?")[0] ?? "");
    asked.push(request.url ?? "");
    if (!bytes) return response.writeHead(404).end();
    setTimeout(() => response.end(bytes), 20);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    asked,
    put(path: string): string {
      const name = `/staged_droplets/${randomUUID()}`;
      blobs.set(name, readFileSync(path));
      return `${base}${name}?signature=secret`;
    },
  };
}

export interface Heard {
  subject: string;
  payload: Record<string, unknown>;
}

/** A bus with one listener that writes everything down that is published by a DEA. */
export function wire(bus: Bus) {
  const heard: Heard[] = [];
  const speakers: { name: string; payload: unknown }[] = Object.values(subjects);
  for (const subject of speakers)
    bus.subscribe(subject as never, (payload: never, message) => {
      heard.push({ subject: message.subject, payload });
    });
  const of = (subject: string) => heard.filter((one) => one.subject === subject).map((one) => one.payload);
  return { heard, of };
}

export const beat = 50;

/** Each test file its own ports, so that files that run at the same time do not meet. */
export function portRange(): { first: number; last: number } {
  const first = 61001 + (process.pid % 80) * 50;
  return { first, last: first + 49 };
}

export interface Collected extends Log {
  lines: string[];
}

export function collectLog(): Collected {
  const lines: string[] = [];
  const add = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log: Collected = { lines, debug() {}, info: add, warn: add, error: add, child: () => log };
  return log;
}

export function deaOptions(bus: Bus, home: string, more: Partial<DeaOptions> = {}): DeaOptions {
  return {
    bus,
    log: collectLog(),
    index: 0,
    address: "127.0.0.1",
    beat,
    home,
    capacity: { memory: 2048, disk: 4096, instances: 10 },
    zone: "default",
    stacks: [],
    runtimes: [],
    filePort: 0,
    instancePorts: portRange(),
    path: `${dirname(process.execPath)}:/usr/bin:/bin`,
    stopGrace: 10,
    ...more,
  };
}

export type Overrides = Partial<Omit<DeaStart, "executableUri" | "sha1">>;

export function startMessage(file: { uri: string; sha1: string }, more: Overrides = {}): DeaStart {
  const limits = { mem: 256, disk: 512, fds: 1024, ...more.limits };
  return {
    droplet: "app-1",
    name: "hello",
    index: 0,
    version: "v1",
    uris: ["hello.example.test"],
    executableFile: "deprecated",
    runtime: "",
    framework: "",
    stack: "",
    prod: false,
    services: [],
    env: [],
    users: [],
    cc_partition: "default",
    console: false,
    ...more,
    limits,
    sha1: file.sha1,
    executableUri: file.uri,
  };
}

/** A DEA on a memory bus, with everything that a test asks of it. Stopped, with its instances, after the test. */
export async function deaWorld(more: Partial<DeaOptions> = {}) {
  const net = memoryNet();
  const bus = net.join();
  // The bus comes back before the DEA is stopped.
  const world = await deaOn({ bus, tool: net.join() }, more);
  onTestFinished(() => bus.reconnect());
  return { ...world, bus };
}

/** The same on any bus: the DEA has one connection, the test another. */
export async function deaOn({ bus, tool }: { bus: Bus; tool: Bus }, more: Partial<DeaOptions> = {}) {
  const spy = wire(tool);
  const home = more.home ?? join(scratch(), "dea");
  const options = deaOptions(bus, home, { onStop: "stop", ...more });
  const blobs = await blobServer();
  const part: Dea = dea(options);
  const running: Running = start(part);
  onTestFinished(async () => await running.stop());
  await running.ready;
  const announced = await until("a hello", () => spy.of("dea.start").at(-1));
  const id = String(announced["id"]);
  const uploaded = new Map<Files, { uri: string; sha1: string }>();
  const upload = (files: Files) => {
    const known = uploaded.get(files);
    if (known) return known;
    const { path, sha1 } = droplet(files);
    const file = { uri: blobs.put(path), sha1 };
    uploaded.set(files, file);
    return file;
  };
  // Also what is no start at all can be sent.
  const anything = { ...at(subjects.deaUuidStart, { uuid: id }), payload: z.unknown() };
  const send = (message: object): Promise<StartAnswer | undefined> =>
    tool.request(anything, message, { timeout: 2000 });
  const found = (filter: object = { droplet: "app-1" }, expected = 1): Promise<DeaFound[]> =>
    tool.gather(subjects.deaFindDroplet, filter as never, { timeout: 300, expected });
  const last = (subject: string) => spy.of(subject).at(-1);
  return {
    ...spy,
    tool,
    id,
    home,
    options,
    log: options.log as Collected,
    part,
    running,
    blobs,
    upload,
    send,
    found,
    last,
    /** Sends a start and expects it to be accepted. Returns the instance id. */
    async launch(files: Files, overrides: Overrides = {}): Promise<string> {
      const answer = await send(startMessage(upload(files), overrides));
      if (!answer?.ok || !answer.instance) throw new Error(`refused: ${JSON.stringify(answer)}`);
      return answer.instance;
    },
    instance: async (id: string) => (await found({ droplet: "app-1", instances: [id] }))[0],
    whenRunning: (instance: string) =>
      until("RUNNING", async () => (await found({ droplet: "app-1", instances: [instance], states: ["RUNNING"] }))[0]),
    exit: (instance: string) =>
      until(`exit of ${instance}`, () => spy.of("droplet.exited").find((one) => one["instance"] === instance)),
    lines: (source: string, app = "app-1") =>
      spy
        .of(`tutti.v1.log.${app}`)
        .filter((one) => one["source"] === source)
        .flatMap((one) => (one["lines"] as { text: string }[]).map((line) => line.text)),
  };
}

export type World = Awaited<ReturnType<typeof deaWorld>>;

/** GET on 127.0.0.1; rejects when nobody listens. */
export async function get(port: number, path = "/"): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
}
