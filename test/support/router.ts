import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { memoryNet } from "../../agent/bus/memory.ts";
import { subjects } from "../../agent/bus/subjects.ts";
import { type RouterOptions, router } from "../../agent/router/router.ts";
import { silent } from "../../agent/run/log.ts";
import { type Running, start } from "../../agent/run/runner.ts";
import { tool } from "./tools.ts";

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

export interface AskOptions {
  path?: string;
  method?: string;
  headers?: http.OutgoingHttpHeaders;
  body?: string;
  agent?: http.Agent;
}

/** One request to 127.0.0.1:port with this Host. Rejects when the connection breaks. */
export function ask(port: number, host: string, options: AskOptions = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const { path = "/", method = "GET", headers = {}, body, agent = false as never } = options;
  const request = http.request({ host: "127.0.0.1", port, path, method, agent, headers: { host, ...headers } });
  request.on("error", reject);
  request.on("response", (response) => {
    const parts: Buffer[] = [];
    response.on("data", (part: Buffer) => parts.push(part));
    response.on("error", reject);
    response.on("end", () =>
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts).toString() }),
    );
  });
  request.end(body);
  return promise;
}

export interface App {
  name: string;
  port: number;
  /** Requests it has had. */
  seen: http.IncomingMessage[];
  server: http.Server;
  close(): Promise<void>;
}

/** A real HTTP server that answers its name, unless the handler answers otherwise. */
export async function app(name: string, handler?: http.RequestListener, port = 0): Promise<App> {
  const seen: http.IncomingMessage[] = [];
  const server = http.createServer((request, response) => {
    seen.push(request);
    if (handler) handler(request, response);
    else response.end(name);
  });
  // Sockets that were upgraded are no longer the server's to close.
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket.on("close", () => sockets.delete(socket))));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, "close");
  };
  return { name, port: (server.address() as AddressInfo).port, seen, server, close };
}

/** Asks until the condition holds; rejects with the last answer when it does not within `ms`. */
export async function eventually<T>(what: () => T | Promise<T>, holds: (value: T) => boolean, ms = 30_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const value = await what();
    if (holds(value)) return value;
    if (Date.now() > end) throw new Error(`still ${JSON.stringify(value)?.slice(0, 300)} after ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export type Register = Parameters<TestRouter["register"]>[1];

export interface TestRouter {
  port: number;
  home: string;
  running: Running;
  /** The bus connection of the router, which can be cut. */
  line: ReturnType<ReturnType<typeof memoryNet>["join"]>;
  /** Another connection. */
  peer: ReturnType<ReturnType<typeof memoryNet>["join"]>;
  net: ReturnType<typeof memoryNet>;
  register(
    uris: string | string[],
    more: { port: number; host?: string; app?: string; private_instance_id?: string; [key: string]: unknown },
  ): void;
  unregister(uris: string | string[], more: { port: number; app?: string; private_instance_id?: string }): void;
  ask(host: string, options?: AskOptions): Promise<Answer>;
  /** Waits until the host answers so. */
  answers(host: string, holds: (answer: Answer) => boolean, options?: AskOptions): Promise<Answer>;
  /** Process id of the HAProxy that serves. */
  pid(): Promise<number>;
  stop(): Promise<void>;
}

/** A router with the real HAProxy on any free port, and a bus in memory. `home` is removed by `stop` unless given. */
export async function testRouter(options: Partial<RouterOptions> = {}): Promise<TestRouter> {
  const net = memoryNet();
  const line = net.join();
  const peer = net.join();
  const home = options.home ?? (await mkdtemp(join(tmpdir(), "tutti-router-")));
  let port = 0;
  const running = start(
    router({
      ...{ bus: line, log: silent, index: 0, address: "127.0.0.1", beat: 100, domain: "example.test" },
      ...{ haproxy: tool("haproxy"), port: 0, threads: 2, spareSlots: 16, home },
      onListening: (bound) => {
        port = bound;
      },
      ...options,
    }),
  );
  await running.ready.catch(async (error: unknown) => {
    if (!options.home) await rm(home, { recursive: true, force: true });
    throw error;
  });
  const message = (uris: string | string[], more: object) => ({
    ...{ host: "127.0.0.1", port: 0, uris: [uris].flat(), tags: {} },
    ...more,
  });
  const asks = (host: string, more?: AskOptions) => ask(port, host, more);
  return {
    ...{ port, home, running, line, peer, net, ask: asks },
    register: (uris, more) => peer.publish(subjects.routerRegister, message(uris, more)),
    unregister: (uris, more) => peer.publish(subjects.routerUnregister, message(uris, more)),
    answers: (host, holds, more) => eventually(() => asks(host, more), holds),
    pid: async () => JSON.parse(await readFile(join(home, "haproxy.json"), "utf8")).pid,
    async stop() {
      await running.stop();
      if (!options.home) await rm(home, { recursive: true, force: true });
    },
  };
}

/** A raw payload on a subject, whatever its schema says. */
export function shout(peer: TestRouter["peer"], subject: "router.register" | "router.unregister", payload: unknown) {
  const raw = { name: subject, payload: z.unknown(), speakers: [], listeners: [], what: "" };
  peer.publish(raw, payload);
}
