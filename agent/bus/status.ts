import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Log } from "../run/log.ts";
import { type Tls, webServer } from "./web.ts";

/** A free one of them is taken. 0 as the first: any free port of the machine. */
export interface PortRange {
  first: number;
  last: number;
}

export interface Page {
  status: number;
  type: string;
  body: string;
}

export interface StatusOptions {
  /** What the server is called in its log lines. */
  type: string;
  address: string;
  /** 0 or absent: one of `statusPorts`. */
  port?: number;
  /** Absent: any free port. */
  statusPorts?: PortRange | undefined;
  /** With it the server speaks HTTPS. */
  tls?: Tls | undefined;
  /** Path → page. */
  pages: Record<string, () => Page>;
  log: Log;
}

export interface StatusServer {
  /** `ip:port` */
  readonly host: string;
  /** Made anew for each server: user and password of the basic authentication. */
  readonly credentials: [string, string];
  close(): Promise<void>;
}

/** A small HTTP server for collectors. Rejects when it cannot listen. */
export async function statusServer(options: StatusOptions): Promise<StatusServer> {
  const { type, address, pages, tls, log } = options;
  const credentials: [string, string] = [secret(), secret()];
  const wanted = digest(`Basic ${Buffer.from(credentials.join(":")).toString("base64")}`);
  const server = webServer(tls, (request, response) => {
    const page = answer(request);
    const headers = page.status === 401 ? { "www-authenticate": 'Basic realm="status"' } : {};
    response.writeHead(page.status, { "content-type": page.type, ...headers }).end(page.body);
  });
  const answer = (request: IncomingMessage): Page => {
    if (!timingSafeEqual(digest(request.headers.authorization ?? ""), wanted)) return text(401, "who are you?\n");
    const make = pages[request.url?.split("?")[0] ?? "/"];
    if (!make) return text(404, `there are ${Object.keys(pages).join(", ")}\n`);
    try {
      return make();
    } catch (error) {
      log.warn({ type, error: String(error) }, "the status server could not answer");
      return text(500, "see the log\n");
    }
  };
  const bound = await listenInRange(server, options);
  const host = `${address.includes(":") ? `[${address}]` : address}:${bound}`;
  return { host, credentials, close: () => close(server) };
}

async function listenInRange(server: Server, options: StatusOptions): Promise<number> {
  const { type, address, port = 0, statusPorts } = options;
  const { first, last } = port || !statusPorts ? { first: port, last: port } : statusPorts;
  for (let one = first; ; one++) {
    try {
      await listen(server, address, one);
      return (server.address() as AddressInfo).port;
    } catch (cause) {
      const taken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
      if (taken && one < last) continue;
      throw taken ? noneFree(`the status server of ${type} finds no free port from ${first} to ${last}`, cause) : cause;
    }
  }
}

function noneFree(message: string, cause: unknown): Error {
  const hint = "stop what listens there, or choose another range: the setting is ports.status";
  return Object.assign(new Error(message, { cause }), { code: "port_in_use", hint });
}

async function listen(server: Server, address: string, port: number) {
  server.listen(port, address);
  await once(server, "listening");
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

// Digests have one length, so that comparing takes the same time whatever was sent.
const digest = (value: string) => createHash("sha256").update(value).digest();
const secret = () => randomBytes(16).toString("hex");
const text = (status: number, body: string): Page => ({ status, type: "text/plain", body });
