import { createServer, type Server } from "node:net";
import type { NodeSpec } from "../../roles/node.ts";

/**
 * A port for each setting that says 0: the one of the last start, else one that is free now. All are held at once
 * while the kernel is asked, so that no two are the same.
 */
export async function freePorts(before: NodeSpec["ports"] | undefined): Promise<(setting: string) => number> {
  const settings = ["router", "controller", "nats", "files"] as const;
  const servers = await Promise.all(settings.map(listen));
  const free = new Map<string, number>(settings.map((setting, i) => [setting, portOf(servers[i])]));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  for (const setting of settings) if (before?.[setting]) free.set(setting, before[setting]);
  return (setting) => free.get(setting) ?? 0;
}

function listen(): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}

function portOf(server: Server | undefined): number {
  const address = server?.address();
  return typeof address === "object" && address ? address.port : 0;
}
