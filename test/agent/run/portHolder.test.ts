import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { listeners, portHolder } from "../../../agent/run/portHolder.ts";

describe("the holder of a port", () => {
  it("is the process that listens there, with its command", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const holder = await portHolder(port);
    expect(holder?.pid).toBe(process.pid);
    expect(holder?.command).toMatch(/node/);
    server.close();
    await once(server, "close");
    expect(await portHolder(port)).toBeUndefined();
  });

  it("is not one that is only connected from or to it", () => {
    const table = [
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1",
      "   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 222 1",
      "   2: 0100007F:D431 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 333 1",
    ].join("\n");
    expect(listeners(table, 8080)).toEqual(["111"]);
  });
});
