import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Desired } from "../../agent/health/wanted.ts";

export interface BulkServer {
  readonly url: string;
  readonly user: string;
  password: string;
  /** Rows of the desired state, as the interface serves them. */
  readonly rows: Map<string, unknown>;
  /** What to do with the next requests, first come first served: a status, `hang`, `cut` or a body. */
  readonly mischief: (number | "hang" | "cut" | string)[];
  /** Paths of the requests so far. */
  readonly asked: string[];
  /** Writes a row. */
  want(desired: Desired): void;
  close(): Promise<void>;
}

/** A controller's bulk interface and nothing else: real HTTP, pages by token, an empty last page. */
export async function bulkServer(): Promise<BulkServer> {
  const rows = new Map<string, unknown>();
  const mischief: BulkServer["mischief"] = [];
  const asked: string[] = [];
  const self = { user: "bulk_api", password: "right", rows, mischief, asked };
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const trick = mischief.shift();
    if (trick === "hang") return;
    if (trick === "cut") return void request.socket.destroy();
    if (typeof trick === "number") return void response.writeHead(trick).end();
    if (trick !== undefined) return void response.end(trick);
    const right = `Basic ${Buffer.from(`${self.user}:${self.password}`).toString("base64")}`;
    if (request.headers.authorization !== right) return void response.writeHead(401).end();
    response.setHeader("content-type", "application/json").end(JSON.stringify(page(request, rows)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const want = ({ droplet, app, staged, updatedAt, ...row }: Desired) => {
    const stamp = {
      package_state: staged ? "STAGED" : "PENDING",
      updated_at: new Date(updatedAt * 1000).toISOString(),
    };
    rows.set(droplet, { id: droplet, app_guid: app, ...row, ...stamp });
  };
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return Object.assign(self, { url: `http://127.0.0.1:${port}`, want, close });
}

function page(request: IncomingMessage, rows: Map<string, unknown>) {
  const query = new URL(request.url ?? "", "http://x").searchParams;
  const after = String((JSON.parse(query.get("bulk_token") ?? "{}") as { id?: unknown }).id ?? "");
  const size = Number(query.get("batch_size") ?? 200);
  const some = [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .filter(([id]) => id > after)
    .slice(0, size);
  return { results: Object.fromEntries(some), bulk_token: { id: some.at(-1)?.[0] ?? null } };
}
