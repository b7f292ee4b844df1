import { randomBytes, timingSafeEqual } from "node:crypto";
import { type FileHandle, lstat, readdir } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Fault } from "../run/fault.ts";
import type { Log } from "../run/log.ts";
import { NotAccessible, openWithin } from "./confined.ts";
import { type Entry, listing, parsePath, parseRange, shownAtRoot } from "./listing.ts";

export interface FileServerOptions {
  address: string;
  /** 0: any free one. */
  port: number;
  /** The directory of an instance by the last part of its path, while there is one. */
  find: (staged: string) => string | undefined;
  log: Log;
}

export interface FileServer {
  readonly port: number;
  /** Made anew on each start; handed out with answers to dea.find.droplet. */
  readonly credentials: [string, string];
  close(): Promise<void>;
}

/** The files and logs of instances over HTTP, as `vmc files` and its successors expect them. */
export async function fileServer({ address, port, find, log }: FileServerOptions): Promise<FileServer> {
  const credentials: [string, string] = [randomBytes(16).toString("hex"), randomBytes(16).toString("hex")];
  const expected = Buffer.from(`Basic ${Buffer.from(credentials.join(":")).toString("base64")}`);
  const server = http.createServer((request, response) => {
    if (!allowed(request.headers.authorization, expected)) {
      response.setHeader("www-authenticate", 'Basic realm="files"');
      return say(response, 401, "Unauthorized\n");
    }
    serve(request, response, find).catch((error) => {
      if (response.headersSent) return response.destroy();
      const [status, text] = refused(error);
      if (status === 500) log.warn({ error: String(error) }, "A file could not be served.");
      say(response, status, text);
    });
  });
  await listen(server, address, port);
  return {
    port: (server.address() as AddressInfo).port,
    credentials,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function allowed(given: string | undefined, expected: Buffer): boolean {
  const text = Buffer.from(given ?? "");
  return text.length === expected.length && timingSafeEqual(text, expected);
}

function listen(server: http.Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === "EADDRINUSE";
      const hint = taken ? "stop what listens there, or set filePort to another port (0: any)" : undefined;
      const message = `the file server cannot listen on ${host}:${port}: ${taken ? "the port is in use" : cause.message}`;
      reject(new Fault(message, { code: taken ? "port_in_use" : "not_listening", hint, cause }));
    });
    server.listen(port, host, resolve);
  });
}

async function serve(request: http.IncomingMessage, response: http.ServerResponse, find: FileServerOptions["find"]) {
  const wanted = parsePath(request.url ?? "");
  if (wanted === "forbidden") return say(response, 403, "Not accessible\n");
  const root = wanted === "missing" ? undefined : find(wanted.staged);
  if (wanted === "missing" || !root) return say(response, 404, "Entity not found.\n");
  const handle = await openWithin(root, join(root, wanted.path));
  try {
    const stat = await handle.stat();
    if (stat.isDirectory()) return say(response, 200, listing(await entries(handle, wanted.path === "")));
    await sendFile(request, response, { handle, size: stat.size });
  } finally {
    await handle.close();
  }
}

async function entries(handle: FileHandle, root: boolean): Promise<Entry[]> {
  // Through the descriptor: the name may lead elsewhere by now.
  const directory = `/proc/self/fd/${handle.fd}`;
  const names = (await readdir(directory)).filter((name) => !root || shownAtRoot.includes(name));
  const seen = await Promise.all(
    names.map(async (name) => ({ name, stat: await lstat(join(directory, name)).catch(() => undefined) })),
  );
  return seen.flatMap(({ name, stat }) => (stat ? [{ name, directory: stat.isDirectory(), size: stat.size }] : []));
}

interface Sent {
  handle: FileHandle;
  size: number;
}

async function sendFile(request: http.IncomingMessage, response: http.ServerResponse, { handle, size }: Sent) {
  const range = parseRange(request.headers.range, size);
  response.setHeader("accept-ranges", "bytes").setHeader("content-type", "text/plain; charset=utf-8");
  if (range === "bad") return void response.writeHead(416, { "content-range": `bytes */${size}` }).end();
  const { from, to } = range ?? { from: 0, to: size - 1 };
  if (range) response.setHeader("content-range", `bytes ${from}-${to}/${size}`);
  response.writeHead(range ? 206 : 200, { "content-length": to - from + 1 });
  if (request.method === "HEAD" || size === 0) return void response.end();
  await pipeline(handle.createReadStream({ start: from, end: to, autoClose: false }), response);
}

function refused(error: unknown): [number, string] {
  if (error instanceof NotAccessible) return [403, "Not accessible\n"];
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(code)) return [404, "Entity not found.\n"];
  if (["ELOOP", "ENXIO", "EACCES", "EPERM"].includes(code)) return [403, "Not accessible\n"];
  return [500, "The file could not be read.\n"];
}

function say(response: http.ServerResponse, status: number, text: string): void {
  const type = "text/plain; charset=utf-8";
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) }).end(text);
}
