import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Wait } from "../gate.ts";

/** Somebody stands before a gate. */
export interface Ring {
  readonly what: Wait;
  /** As the program calls the machine: `trio-dev-run-0`. */
  readonly name: string;
  /** EC2's id of the new machine. */
  readonly instance: string;
}

/** Where those ring who stand before a gate, in whatever process the engine has them. */
export interface Bell {
  readonly socket: string;
  close(): Promise<void>;
}

/**
 * The gate opens when `onRing` has resolved; when it rejects, the engine ends there. On a socket that nobody but this user
 * may open, as short as a path must be there.
 */
export async function hangBell(onRing: (ring: Ring) => Promise<void>): Promise<Bell> {
  const folder = await mkdtemp(join(tmpdir(), "tutti-bell-"));
  const server = createServer((request, answer) => {
    body(request)
      .then((text) => onRing(JSON.parse(text) as Ring))
      .then(
        () => answer.writeHead(200).end(),
        (error: Error) => answer.writeHead(500).end(error.message),
      );
  });
  // It takes as long as a machine needs to boot and apps need to move.
  server.requestTimeout = 0;
  const socket = join(folder, "bell");
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(socket, resolve));
  return { socket, close: () => close(server, folder) };
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

async function close(server: Server, folder: string): Promise<void> {
  server.close();
  server.closeAllConnections();
  await rm(folder, { recursive: true, force: true });
}
