import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Fault } from "../run/fault.ts";
import { portHolder } from "../run/portHolder.ts";

/** Rejects with a Fault that names the port, who has it and the setting, when the port cannot be had. */
export async function requireFreePort(address: string, port: number): Promise<void> {
  try {
    await tryPort(address, port);
  } catch (cause) {
    throw await faultOf(cause, address, port);
  }
}

/** A port that is free now. */
export function anyFreePort(address: string): Promise<number> {
  return tryPort(address, 0);
}

async function tryPort(address: string, port: number): Promise<number> {
  const server = createServer().listen(port, address);
  await once(server, "listening");
  const bound = (server.address() as AddressInfo).port;
  server.close();
  await once(server, "close");
  return bound;
}

async function faultOf(cause: unknown, address: string, port: number): Promise<unknown> {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "EADDRINUSE") {
    const holder = await portHolder(port);
    const by = holder ? ` by process ${holder.pid} (${holder.command})` : "";
    const hint = "stop that process, or choose another port with the setting ports.router";
    return new Fault(`The router's port ${port} is in use${by}`, { code: "port_in_use", hint, cause });
  }
  if (code === "EACCES") {
    const hint = "choose a port from 1024 on with the setting ports.router, or run the agent as root";
    return new Fault(`The router may not listen on port ${port}`, { code: "port_not_allowed", hint, cause });
  }
  if (code === "EADDRNOTAVAIL") {
    const hint = "the address the router binds to must be one of this machine's";
    return new Fault(`This machine has no address ${address}`, { code: "address_not_here", hint, cause });
  }
  return cause;
}
