import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { appliedFrom } from "../../../agent/router/applied.ts";
import { capacityFor, runsLow } from "../../../agent/router/capacity.ts";
import { additionsOf } from "../../../agent/router/commands.ts";
import { haproxyFiles } from "../../../agent/router/config.ts";
import { endpointFailure, rawAnswer } from "../../../agent/router/pages.ts";
import { connectionsPossible } from "../../../agent/router/process.ts";
import { routesWithPools } from "../../../agent/router/routes.ts";
import { frontendStats, latency, noTotals, sum } from "../../../agent/router/stats.ts";
import { tool } from "../../support/tools.ts";

describe("HAProxy's configuration", () => {
  it("is one that HAProxy accepts, with every option there is", () => {
    const home = mkdtempSync(join(tmpdir(), "tutti-config-"));
    const { table, view, follow } = routesWithPools();
    const of = (port: number, ip: string) => ({
      ...{ key: `${ip}:${port}`, host: ip, port, ip, app: "a", dea: "d", instance: undefined, index: "1", tags: {} },
      ttl: 1,
    });
    for (const ip of ["10.0.0.1", "::1"])
      follow(table.register(of(80, ip), ["a.test", "a.test/x", "*.b.test/y"], 0), 0);
    const config = { bind: "::1", port: 8080, threads: 2, maxConnections: 100, trusted: ["10.0.0.0/8", "::1"] };
    const user = { uid: 65534, gid: 65534 };
    const files = haproxyFiles({ ...config, user }, appliedFrom(view, 4), "haproxy-1.sock");
    for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
    // The access log is the fourth descriptor, which is not there now.
    const checked = files["haproxy.cfg"]?.replace("log fd@3", "log stderr") ?? "";
    writeFileSync(join(home, "haproxy.cfg"), checked);
    expect(`${execFileSync(tool("haproxy"), ["-c", "-f", "haproxy.cfg"], { cwd: home })}`).toMatch(/is valid/);
    rmSync(home, { recursive: true });
  });

  it("has pages whose length is what they say", () => {
    const [head = "", body = ""] = rawAnswer(endpointFailure).split("\r\n\r\n");
    expect(Number(/Content-Length: (\d+)/.exec(head)?.[1])).toBe(Buffer.byteLength(body));
  });

  it("promises no more connections than there are descriptors for", async () => {
    expect(await connectionsPossible()).toBeGreaterThanOrEqual(100);
    expect(await connectionsPossible()).toBeLessThanOrEqual(20_000);
  });
});

describe("the number of backends", () => {
  it("leaves room above those in use, and more is asked for before it is used up", () => {
    expect(capacityFor(0, 256)).toBe(256);
    expect(capacityFor(300, 256)).toBe(556);
    expect(capacityFor(10_000, 256)).toBe(12_500);
    const low = (highest: number) => runsLow(256, { spareSlots: 256, view: { highest } });
    expect([low(0), low(224), low(225)]).toEqual([false, false, true]);
    for (const highest of [0, 1, 7, 1000, 5000])
      for (const spareSlots of [1, 8, 256])
        expect(runsLow(capacityFor(highest, spareSlots), { spareSlots, view: { highest } })).toBe(false);
  });
});

describe("additions to a map", () => {
  it("come many in a command, never more than HAProxy's buffer takes, and one map at a time", () => {
    const lines = Array.from({ length: 1000 }, (_, i) => ({ map: "hosts" as const, line: `n${i}.example.test s1` }));
    const commands = additionsOf([...lines, { map: "apps", line: "s1 a" }]);
    for (const { text } of commands) expect(text.length).toBeLessThan(14_000);
    expect(commands.flatMap(({ text }) => text.trim().split("\n").slice(1))).toHaveLength(1001);
    expect(commands.at(-1)?.text).toBe("add map apps.map <<\ns1 a\n");
  });
});

describe("HAProxy's counters", () => {
  const csv = "# pxname,svname,req_tot,hrsp_2xx,hrsp_5xx,stot,ttime,scur,ereq,\npublic,FRONTEND,7,5,2,0,0,3,1,\n";

  it("are read by their names, whatever their order", () => {
    const { totals, connections } = frontendStats(csv);
    expect(totals).toMatchObject({ requests: 7, responses_2xx: 5, responses_5xx: 2, bad_requests: 1 });
    expect(connections).toBe(3);
  });

  it("that are missing or empty are zero", () => {
    expect(frontendStats("").totals).toEqual(noTotals);
  });

  it("add up over processes", () => {
    const { totals } = frontendStats(csv);
    expect(sum(totals, totals).requests).toBe(14);
  });

  it("give the mean time of all backends, each as often as it was asked", () => {
    const rows = "# pxname,svname,stot,ttime,\ns1,BACKEND,3,10,\ns2,BACKEND,1,50,\n";
    expect(latency(rows)).toEqual({ value: 20, samples: 4 });
    expect(latency("")).toEqual({ value: 0, samples: 0 });
  });
});
