import { once } from "node:events";
import { createServer } from "node:net";
import { Fault } from "../run/fault.ts";
import { portHolder } from "../run/portHolder.ts";

export interface WantedPort {
  address: string;
  /** 0: any free one. */
  port: number;
  /** The setting that a person changes to get another one. */
  setting: string;
}

/** A port that can be listened on now. Rejects with a Fault that says who holds it. */
export async function openPort({ address, port, setting }: WantedPort): Promise<number> {
  const server = createServer();
  try {
    server.listen({ host: address, port, exclusive: true });
    await once(server, "listening");
    return (server.address() as { port: number }).port;
  } catch (cause) {
    throw await explained(cause as NodeJS.ErrnoException, { address, port, setting });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

async function explained(cause: NodeJS.ErrnoException, { address, port, setting }: WantedPort): Promise<Fault> {
  if (cause.code !== "EADDRINUSE") {
    const hint = `choose another port or address: the setting is ${setting}`;
    return new Fault(`cannot listen on ${address}:${port}: ${cause.message}`, { code: "not_listening", hint, cause });
  }
  const holder = await portHolder(port);
  const by = holder ? `by process ${holder.pid} (${holder.command})` : "by a program of another user";
  const hint = `stop that program, or choose another port: the setting is ${setting}`;
  return new Fault(`port ${port} is in use ${by}`, { code: "port_in_use", hint, cause });
}
