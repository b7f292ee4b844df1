import { test } from "vitest";
import { fakeCluster } from "../support/cli.ts";
import { person } from "../support/tutti.ts";
test("try", async () => {
  const c = await fakeCluster(); const p = await person();
  const go = async (...a: string[]) => { const r = await p.tutti(a, { env: { TUTTI_PASSWORD: "correct horse" } }); console.log("$ tutti", a.join(" "), "->", r.code, "\n" + r.out + (r.err ? "\n--err\n" + r.err : "")); return r; };
  await go("apps"); await go("target", c.url); await go("apps"); await go("login", "me@example.com");
  await go("push", "hello", "--path", "/work/main/examples/apps/hello");
  await go("push", "hello", "--path", "/work/main/examples/apps/hello", "--json");
  for (const a of ["apps", "app hello", "scale hello -i 3", "set-env hello A b", "env hello", "routes", "map hello x.tutti.localhost", "unmap hello http://x.tutti.localhost/", "logs hello --recent", "events", "status", "node list", "role list", "info", "ready", "process list", "process ready all", "trace push hello", "crashes hello", "stop hello", "start hello", "restart hello", "restage hello", "mem hello 512M", "tail hello --recent", "app helo", "delete hello", "delete hello --force", "logout", "apps"]) await go(...a.split(" "));
  await c.close(); await p.gone();
}, 120000);
