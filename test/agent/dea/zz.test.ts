import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "vitest";
import { deaWorld, shell } from "../../support/dea.ts";
test("x", async () => {
  const world = await deaWorld({ logCap: 2 ** 20 });
  const flood = shell("yes 0123456789012345678901234567890123456789 | head -c 1000000000; echo; echo done; exec sleep 60");
  const id = await world.launch(flood, { uris: [], health_check: { type: "process" }, limits: { mem: 128, disk: 2048, fds: 256 } });
  for (let i = 0; i < 8; i++) {
    await new Promise((r) => setTimeout(r, 1000));
    const lines = world.lines("APP/PROC/WEB");
    const logs = join(world.home, "instances", `hello-0-${id}`, "logs");
    console.log(lines.length, lines.slice(-3), world.lines("CELL"), readdirSync(logs).map((n) => n + statSync(join(logs, n)).size), world.log.lines.slice(-2), process.memoryUsage().rss/1e6);
  }
});
