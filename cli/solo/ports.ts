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
