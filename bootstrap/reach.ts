import { connect, type Socket } from "node:net";
import { BootstrapFault } from "./fault.ts";
import { stopped, unreached } from "./sshFault.ts";

export interface ReachOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly stop: AbortSignal;
}

/** A connection to the port, and nothing more. */
export function reach(options: ReachOptions, patience: number): Promise<Socket> {
  const { host, port, stop } = options;
  const socket = connect({ host, port, noDelay: true });
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException | BootstrapFault) => {
      socket.destroy();
      settle();
      reject(error instanceof BootstrapFault ? error : unreached(error, options));
    };
    const halt = () => fail(stopped());
    const late = setTimeout(() => fail(Object.assign(new Error("timed out"), { code: "ETIMEDOUT" })), patience);
    const settle = () => {
      clearTimeout(late);
      stop.removeEventListener("abort", halt);
      socket.off("error", fail);
    };
    if (stop.aborted) return halt();
    stop.addEventListener("abort", halt, { once: true });
    socket.once("error", fail);
    socket.once("connect", () => {
      settle();
      resolve(socket);
    });
  });
}
