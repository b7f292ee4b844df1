import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import type { NodeSpec } from "../../roles/node.ts";

const settings = ["router", "controller", "nats", "files"] as const;
// Below the ports that kernels hand out by themselves: an outgoing connection must not take one while we are down.
const range = { first: 10_000, last: 19_999 };

/** A port for each setting that says 0: the one of the last start, else one that is free now; no two are the same. */
export async function freePorts(before: NodeSpec["ports"] | undefined): Promise<(setting: string) => number> {
  const chosen = new Map<string, number>();
  for (const setting of settings) {
    const old = before?.[setting];
    chosen.set(setting, old || (await freePort([...chosen.values()])));
  }
  return (setting) => chosen.get(setting) ?? 0;
}

async function freePort(taken: readonly number[]): Promise<number> {
  for (;;) {
    const port = randomInt(range.first, range.last + 1);
    if (!taken.includes(port) && (await isFree(port))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

const settingOf: Readonly<Record<string, (typeof settings)[number]>> = {
  router: "router",
  controller: "controller",
  core: "nats",
  dea: "files",
};

/** What to do when a component's port is taken, by the cluster.yaml that was named. */
export function portHint(component: string, file?: string): string | undefined {
  const setting = settingOf[component];
  const where = file ? `in ${file}` : "in a copy of examples/solo/cluster.yaml, and start with --spec COPY";
  return setting && `stop that program, or set another port (0: any free one) as ports.${setting} ${where}`;
}
