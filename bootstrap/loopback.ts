import { Agent, type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { connect as secure } from "node:tls";

export interface LoopbackRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface LoopbackAnswer {
  readonly status: number;
  /** Undefined when it is no JSON. */
  readonly body: unknown;
}

export type Ask = (request: LoopbackRequest) => Promise<LoopbackAnswer>;

export interface LoopbackOptions {
  /** Opens a channel to the port. */
  readonly open: () => Promise<Duplex>;
  /** The Host that is asked for: tokens name it. */
  readonly host: string;
  /** PEM of the authority whose certificate the server has; undefined: it speaks plain HTTP. */
  readonly ca: string | undefined;
}

/** HTTP through a channel: one after the other on the same one, for as long as the server keeps it. */
export function loopback({ open, host, ca }: LoopbackOptions): { ask: Ask; close: () => void } {
  let line: Line | undefined;
  const ask: Ask = async ({ method, path, form, headers }) => {
    line = line?.usable() ? line : lineOn(await open(), ca);
    const body = form && new URLSearchParams({ ...form }).toString();
    const type = { "content-type": "application/x-www-form-urlencoded" };
    const all = { host, accept: "application/json", ...(form && type), ...headers };
    const answer = await sent(line, { method, path, headers: all }, body);
    return { status: answer.statusCode ?? 0, body: json(await text(answer)) };
  };
  return { ask, close: () => line?.close() };
}

interface Line {
  readonly agent: Agent;
  readonly failed: Promise<never>;
  usable(): boolean;
  close(): void;
}

function lineOn(channel: Duplex, ca: string | undefined): Line {
  const socket = ca === undefined ? channel : secure({ socket: channel, ca, servername: "localhost" });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  Object.assign(agent, { createConnection: () => socket });
  // What an agent asks of sockets that it keeps; a channel has nothing of the kind.
  const nothing = () => {};
  if (!("setKeepAlive" in channel))
    Object.assign(channel, { setKeepAlive: nothing, setTimeout: nothing, ref: nothing, unref: nothing });
  const failed = new Promise<never>((_resolve, reject) => {
    channel.once("error", reject);
    socket.once("error", reject);
    channel.once("close", () => reject(new Error("the connection to the controller was closed")));
  });
  failed.catch(() => {});
  const close = () => {
    agent.destroy();
    socket.destroy();
  };
  return { agent, failed, usable: () => !socket.destroyed && !channel.destroyed, close };
}

interface Sending {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
}

const patience = 60_000;

function sent({ agent, failed }: Line, sending: Sending, body: string | undefined): Promise<IncomingMessage> {
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({ agent, ...sending }, resolve);
    const late = setTimeout(() => asked.destroy(new Error("the controller does not answer")), patience);
    asked.once("error", reject).once("close", () => clearTimeout(late));
    asked.end(body);
  });
  answered.catch(() => {});
  return Promise.race([answered, failed]);
}

function json(said: string): unknown {
  try {
    return JSON.parse(said);
  } catch {
    return undefined;
  }
}
