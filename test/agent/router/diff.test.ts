import { describe, expect, it } from "vitest";
import { type Applied, appliedFrom, type MapName, mapEntries, mapNames } from "../../../agent/router/applied.ts";
import { type Step, stepsFor } from "../../../agent/router/commands.ts";
import { diff } from "../../../agent/router/diff.ts";
import type { Endpoint } from "../../../agent/router/endpoint.ts";
import { routesWithPools } from "../../../agent/router/routes.ts";

const endpoint = (port: number, app: string, instance = `${app}-${port}`): Endpoint => ({
  ...{ key: `h:${port}`, host: "h", port, ip: "10.0.0.1", app, dea: undefined, index: `${port}`, tags: {} },
  ...{ instance, ttl: 1000 },
});

/** What a HAProxy would hold that was told all this; throws where the real one would refuse. */
function simulator(applied: Applied) {
  const maps = new Map<MapName, Map<string, string>>(mapNames.map((map) => [map, new Map(mapEntries(applied, map))]));
  const servers = new Map<string, { address: string; ready: boolean }>();
  for (const [slot, { servers: all }] of applied.backends)
    for (const [name, { address }] of all) servers.set(`s${slot}/${name}`, { address, ready: true });
  const need = <T>(value: T | undefined, what: string): T => {
    if (value === undefined) throw new Error(`there is no ${what}`);
    return value;
  };
  const mapOf = (file: string) => need(maps.get(file.replace(".map", "") as MapName), file);
  const rules: [RegExp, (words: string[]) => void][] = [
    [
      /^add server (\S+) (\S+)/,
      ([, name = "", address = ""]) => {
        if (servers.has(name)) throw new Error(`${name} is there already`);
        servers.set(name, { address, ready: false });
      },
    ],
    [/^enable health (\S+)$/, ([, name = ""]) => void need(servers.get(name), name)],
    [
      /^set server (\S+) state (\S+)$/,
      ([, name = "", state]) => {
        need(servers.get(name), name).ready = state === "ready";
      },
    ],
    [
      /^set server (\S+) addr (\S+) port (\S+)$/,
      ([, name = "", ip, port]) => {
        need(servers.get(name), name).address = `${ip}:${port}`;
      },
    ],
    [
      /^set map (\S+) (\S+) (\S+)$/,
      ([, file = "", key = "", value = ""]) => {
        need(mapOf(file).get(key), key);
        mapOf(file).set(key, value);
      },
    ],
    [/^del map (\S+) (\S+)$/, ([, file = "", key = ""]) => mapOf(file).delete(key) || need(undefined, key)],
  ];
  const add = (map: Map<string, string>, line: string) => {
    const [key = "", value = ""] = line.split(" ");
    if (map.has(key)) throw new Error(`${key} is twice in the map`);
    map.set(key, value);
  };
  const tell = (step: Step) => {
    if (!("text" in step)) {
      maps.set(step.map, new Map());
      for (const line of step.lines) add(mapOf(step.map), line);
      return;
    }
    const [first = "", ...lines] = step.text.trim().split("\n");
    const addition = /^add map (\S+) <<$/.exec(first);
    if (addition) for (const line of lines) add(mapOf(addition[1] ?? ""), line);
    for (const [pattern, act] of addition ? [] : rules) {
      const words = pattern.exec(first);
      if (words) return act(words);
    }
    if (!addition) throw new Error(`what is ${first}?`);
  };
  const ready = () => [...servers].flatMap(([name, one]) => (one.ready ? [`${name} ${one.address}`] : [])).sort();
  return { tell, ready, maps };
}

const sortedMaps = (applied: Applied) => mapNames.map((map) => [...mapEntries(applied, map)].map(String).sort());

describe("telling a running HAProxy what changed", () => {
  it("sends a server away first, lets the new one in before its name, and takes names away last", () => {
    const { table, view, follow } = routesWithPools();
    const applied = appliedFrom(view, 16);
    const tell = (outcome: Parameters<typeof follow>[0]) => {
      const changed = follow(outcome, 0);
      return changed ? stepsFor(diff(applied, view, changed), applied).map((s) => ("text" in s ? s.text : s.map)) : [];
    };
    expect(tell(table.register(endpoint(1, "a"), ["a.test"], 0)).map((text) => text.split(" check")[0])).toEqual([
      "add server s1/a-1 10.0.0.1:1",
      "enable health s1/a-1",
      "set server s1/a-1 state ready",
      "add map apps.map <<\ns1 a\n",
      "add map aims.map <<\ns1/a:1 a-1\n",
      "add map hosts.map <<\na.test s1\n",
    ]);
    const swap = tell(table.register(endpoint(1, "b"), ["b.test"], 0)).map((text) => text.split(" check")[0]);
    expect(swap[0]).toBe("set server s1/a-1 state maint");
    expect(swap[1]).toBe("add server s2/b-1 10.0.0.1:1");
    expect(swap.at(-2)).toBe("del map apps.map s1");
  });

  it("turns a host into paths before the host points to them, and back after it no longer does", () => {
    const { table, view, follow } = routesWithPools();
    const applied = appliedFrom(view, 16);
    const tell = (outcome: Parameters<typeof follow>[0]) => {
      const changed = follow(outcome, 0);
      const changes = changed ? diff(applied, view, changed) : [];
      return changes.flatMap((c) =>
        c.do === "map" && !["apps", "aims"].includes(c.map) ? [`${c.key} ${c.value}`] : [],
      );
    };
    expect(tell(table.register(endpoint(1, "a"), ["h.test"], 0))).toEqual(["h.test s1"]);
    expect(tell(table.register(endpoint(2, "b"), ["h.test/b"], 0))).toEqual(["h.test/ s1", "h.test/b/ s2", "h.test +"]);
    table.unregister({ host: "h", port: 2, uris: ["h.test/b"] }, 0);
    expect(tell(table.prune(0, 0))).toEqual(["h.test s1", "h.test/ undefined", "h.test/b/ undefined"]);
  });

  it("writes a map anew instead of changing more than a hundred of its entries one by one", () => {
    const { table, view, follow } = routesWithPools();
    const names = Array.from({ length: 500 }, (_, i) => `n${i}.test`);
    follow(table.register(endpoint(1, "a"), names, 0), 0);
    const applied = appliedFrom(view, 16);
    table.unregister({ host: "h", port: 1, uris: names.slice(0, 200) }, 0);
    const changed = follow(table.prune(0, 0), 0);
    const steps = changed ? stepsFor(diff(applied, view, changed), applied) : [];
    const maps = steps.flatMap((step) => ("map" in step ? [[step.map, step.lines.length]] : []));
    expect(maps).toEqual([["hosts", 300]]);
  });

  it("leads to the same as starting afresh, whatever happened and however it was bundled", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = randomFrom(seed);
      const pick = (n: number) => Math.floor(random() * n);
      const { table, view, follow } = routesWithPools();
      const applied = appliedFrom(view, 40);
      const haproxy = simulator(applied);
      const dirty = { slots: new Set<number>(), hosts: new Set<string>() };
      const names = ["a.test", "a.test/x", "a.test/x/y", "b.test", "*.test", "*.test/x", "c.test"];
      for (let step = 0; step < 150; step++) {
        const uris = names.filter(() => random() < 0.4);
        const port = 1 + pick(5);
        const outcome = [
          () => table.register(endpoint(port, `app${pick(2)}`), uris, step),
          () => table.register(endpoint(port, `app${port}`), uris, step),
          () => table.unregister({ host: "h", port, uris }, step),
          () => table.prune(step, 10),
        ][pick(4)]?.();
        const changed = outcome && follow(outcome, step * 10_000);
        for (const slot of changed?.slots ?? []) dirty.slots.add(slot);
        for (const host of changed?.hosts ?? []) dirty.hosts.add(host);
        if (random() < 0.5) continue;
        for (const one of stepsFor(diff(applied, view, dirty), applied)) haproxy.tell(one);
        dirty.slots.clear();
        dirty.hosts.clear();
        const fresh = simulator(appliedFrom(view, 40));
        expect(haproxy.ready()).toEqual(fresh.ready());
        for (const map of mapNames)
          expect([...(haproxy.maps.get(map) ?? [])].sort()).toEqual([...(fresh.maps.get(map) ?? [])].sort());
        expect(sortedMaps(applied)).toEqual(sortedMaps(appliedFrom(view, 40)));
      }
    }
  });
});

function randomFrom(seed: number) {
  let state = seed * 2654435761;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}
