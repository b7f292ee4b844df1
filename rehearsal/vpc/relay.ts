import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { type Runner, stopped } from "../../agent/run/runner.ts";

export interface Door {
  readonly address: string;
  readonly port: number;
}

/** Passes on what comes to one door to another one: a server that only hears the loopback, to machines. */
export function relay(from: Door, to: Door): Runner {
  return {
    name: `relay ${from.address}:${from.port}`,
    async run(stop, ready) {
      const open = new Set<Socket>();
      const server = createServer({ allowHalfOpen: true }, (incoming) => {
        const outgoing = connect({ port: to.port, host: to.address, allowHalfOpen: true });
        for (const [one, other] of [
          [incoming, outgoing],
          [outgoing, incoming],
        ] as const) {
          open.add(one);
          one.on("error", () => other.destroy());
          one.on("close", () => open.delete(one));
          one.pipe(other);
        }
      });
      server.listen(from.port, from.address);
      await once(server, "listening");
      ready();
      await stopped(stop);
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
