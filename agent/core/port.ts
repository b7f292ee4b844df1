import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { Fault } from "../run/fault.ts";
import { type PortHolder, portHolder } from "../run/portHolder.ts";
import { sleep } from "../run/sleep.ts";

export interface WantedPort {
  address: string;
  /** 0: any free one. */
  port: number;
  /** The setting that a person changes to get another one. */
  setting: string;
}

// Below the ports that systems give to outgoing connections: while the server is away, a client that tries to reach it
// could otherwise be given the server's own port.
const [lowest, highest] = [15_000, 30_000];
const patience = 40;

/** A port that can be listened on now. Rejects with a Fault that says who holds it. */
export async function openPort(wanted: WantedPort): Promise<number> {
  const { address, port } = wanted;
  for (let attempt = 0; port === 0 && attempt < 100; attempt++) {
    const chosen = randomInt(lowest, highest);
    if (!(await refusal(address, chosen))) return chosen;
  }
  for (let turn = 0; ; turn++) {
    const cause = await refusal(address, port);
    if (!cause) return port;
    const holder = await portHolder(port);
    // A process that is just being ended keeps its port for a moment after it can no longer be found.
    if (cause.code !== "EADDRINUSE" || holder || turn === patience) throw explained(cause, { ...wanted, holder });
    await sleep(50);
  }
}

/** Why a port cannot be listened on; undefined when it can. */
async function refusal(address: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  const server = createServer();
  try {
    server.listen({ host: address, port, exclusive: true });
    await once(server, "listening");
    return undefined;
  } catch (error) {
    return error as NodeJS.ErrnoException;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

interface Refused extends WantedPort {
  holder: PortHolder | undefined;
}

function explained(cause: NodeJS.ErrnoException, { address, port, setting, holder }: Refused): Fault {
  if (cause.code !== "EADDRINUSE") {
    const hint = `choose another port or address: the setting is ${setting}`;
    return new Fault(`cannot listen on ${address}:${port}: ${cause.message}`, { code: "not_listening", hint, cause });
  }
  const by = holder ? `by process ${holder.pid} (${holder.command})` : "by a program of another user";
  const hint = `stop that program, or choose another port: the setting is ${setting}`;
  return new Fault(`port ${port} is in use ${by}`, { code: "port_in_use", hint, cause });
}
