import { randomBytes, timingSafeEqual } from "node:crypto";
import type http from "node:http";
import type { AddressInfo } from "node:net";
import { type Tls, webServer } from "../bus/web.ts";
import { Fault } from "../run/fault.ts";
import type { Log } from "../run/log.ts";
import { portHolder } from "../run/portHolder.ts";
import { refused, say, serve } from "./serving.ts";

export interface FileServerOptions {
  address: string;
  /** 0: any free one. */
  port: number;
  /** The directory of an instance by the last part of its path, while there is one. */
  find: (staged: string) => string | undefined;
  tls?: Tls | undefined;
  log: Log;
}

export interface FileServer {
  readonly port: number;
  /** Made anew on each start; handed out with answers to dea.find.droplet. */
  readonly credentials: [string, string];
  close(): Promise<void>;
}

/** The files and logs of instances over HTTP, as `vmc files` and its successors expect them. */
export async function fileServer({ address, port, find, tls, log }: FileServerOptions): Promise<FileServer> {
  const credentials: [string, string] = [randomBytes(16).toString("hex"), randomBytes(16).toString("hex")];
  const expected = Buffer.from(`Basic ${Buffer.from(credentials.join(":")).toString("base64")}`);
  const server = webServer(tls, (request, response) => {
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

async function listen(server: http.Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, host, resolve);
  await promise.catch(async (cause: NodeJS.ErrnoException) => {
    throw await explained(cause, host, port);
  });
}

async function explained(cause: NodeJS.ErrnoException, host: string, port: number): Promise<Fault> {
  if (cause.code !== "EADDRINUSE") {
    const message = `the file server cannot listen on ${host}:${port}: ${cause.message}`;
    const hint = "choose another port or address: the setting is ports.files";
    return new Fault(message, { code: "not_listening", hint, cause });
  }
  const holder = await portHolder(port);
  const by = holder ? `by process ${holder.pid} (${holder.command})` : "by a program of another user";
  const hint = "stop that program, or choose another port: the setting is ports.files";
  return new Fault(`the file server's port ${port} is in use ${by}`, { code: "port_in_use", hint, cause });
}
