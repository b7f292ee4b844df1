import { createServer, type Server } from "node:http";
import type { FastifyInstance } from "fastify";
import { Fault } from "../run/fault.ts";
import { portHolder } from "../run/portHolder.ts";
import { sleep } from "../run/sleep.ts";

export interface Listening {
  port: number;
  close(): Promise<void>;
}

/** Milliseconds that requests under way get when the controller stops. */
const grace = 5000;

/**
 * Lets the server listen on `address`, and on loopback too: the license step is taken from the node itself. Rejects
 * with `port_in_use`, naming who holds the port.
 */
export async function listen(
  app: FastifyInstance,
  { address, port }: { address: string; port: number },
): Promise<Listening> {
  await app.listen({ host: address, port }).catch((error: unknown) => refuse(error, { address, port }));
  const at = app.server.address();
  const bound = typeof at === "object" && at ? at.port : port;
  const everywhere = ["127.0.0.1", "::1", "0.0.0.0", "::", "localhost"].includes(address);
  const inner = everywhere ? undefined : await onLoopback(app, bound);
  const close = async () => {
    const closing = Promise.all([app.close(), inner && closed(inner)]);
    const late = new AbortController();
    sleep(grace, late.signal).then(() => {
      if (late.signal.aborted) return;
      app.server.closeAllConnections();
      inner?.closeAllConnections();
    });
    await closing;
    late.abort();
  };
  return { port: bound, close };
}

async function onLoopback(app: FastifyInstance, port: number): Promise<Server> {
  const server = createServer((request, response) => app.routing(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  }).catch((error: unknown) => refuse(error, { address: "127.0.0.1", port }));
  return server;
}

const closed = (server: Server) => new Promise<void>((resolve) => server.close(() => resolve()));

async function refuse(cause: unknown, { address, port }: { address: string; port: number }): Promise<never> {
  const { code, message } = cause as { code?: string; message?: string };
  if (code !== "EADDRINUSE")
    throw new Fault(`the controller cannot listen on ${address}:${port}: ${message}`, { code: "cannot_listen", cause });
  const holder = await portHolder(port);
  const by = holder ? ` by ${holder.command} (pid ${holder.pid})` : "";
  throw new Fault(`the controller's port ${port} is in use${by}`, {
    code: "port_in_use",
    hint: "stop that program, or give the controller another port: ports.controller in cluster.yaml",
    cause,
  });
}
