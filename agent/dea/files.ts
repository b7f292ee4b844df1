import { randomBytes, timingSafeEqual } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { Fault } from "../run/fault.ts";
import type { Log } from "../run/log.ts";
import { refused, say, serve } from "./serving.ts";

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
