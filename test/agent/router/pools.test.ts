import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../../agent/router/endpoint.ts";
import { Pools } from "../../../agent/router/pools.ts";
import { slotNumbers } from "../../../agent/router/slots.ts";
import { type Outcome, RouteTable } from "../../../agent/router/table.ts";

function stage(quarantine = 100) {
  const table = new RouteTable();
  const pools = new Pools(slotNumbers(quarantine));
  let now = 0;
  const follow = ({ touched }: Outcome) => pools.regroup(touched, (route) => table.route(route.name) === route, now);
  const endpoint = (port: number, app: string): Endpoint => ({
    ...{ key: `h:${port}`, host: "h", port, ip: "10.0.0.1", app, dea: undefined, index: "0", tags: {} },
    ...{ instance: `${app}-${port}`, ttl: 1000 },
  });
  return {
    add: (port: number, uris: string[], app = "app") => follow(table.register(endpoint(port, app), uris, now)),
    drop: (port: number, uris: string[]) => follow(table.unregister({ host: "h", port, uris }, now)),
    forget: () => follow(table.prune(now, 0)),
    slot: (name: string) => {
      const route = table.route(name);
      return route && pools.of(route)?.slot;
    },
    holds: (slot: number | undefined) => pools.at(slot ?? 0)?.members.map(({ endpoint }) => endpoint.key),
    slots: () => [...pools.slots()],
    later: (ms: number) => {
      now += ms;
    },
  };
}

describe("routes with the same endpoints", () => {
  it("share one slot, however many they are and in however many messages they come", () => {
    const s = stage();
    s.add(1, ["a.test", "b.test"]);
    s.add(1, ["c.test"]);
    expect(new Set(["a.test", "b.test", "c.test"].map(s.slot))).toEqual(new Set([1]));
    expect(s.slots()).toEqual([1]);
  });

  it("keep their slot while instances come and go, so that no name has to move", () => {
    const s = stage();
    s.add(1, ["a.test", "b.test"]);
    expect(s.add(2, ["a.test", "b.test"])).toEqual({ slots: new Set([1]), hosts: new Set() });
    expect(s.drop(1, ["a.test", "b.test"])).toEqual({ slots: new Set([1]), hosts: new Set() });
    expect(s.drop(2, ["a.test", "b.test"])).toEqual({ slots: new Set([1]), hosts: new Set() });
    expect(s.add(3, ["a.test", "b.test"])).toEqual({ slots: new Set([1]), hosts: new Set() });
    expect(s.holds(1)).toEqual(["h:3"]);
  });

  it("part when only some of them lose an endpoint, and meet again later", () => {
    const s = stage();
    s.add(1, ["a.test", "b.test"]);
    s.add(2, ["a.test"]);
    expect(s.slot("a.test")).not.toBe(s.slot("b.test"));
    expect([s.holds(s.slot("a.test")), s.holds(s.slot("b.test"))]).toEqual([["h:1", "h:2"], ["h:1"]]);
    s.add(2, ["b.test"]);
    expect(s.slot("a.test")).toBe(s.slot("b.test"));
    expect(s.slots()).toHaveLength(1);
  });
});

describe("a slot", () => {
  it("is never that of another app whose port was taken over", () => {
    const s = stage();
    s.add(1, ["old.test"], "old");
    const old = s.slot("old.test");
    s.add(1, ["new.test"], "new");
    expect(s.slot("old.test")).toBe(old);
    expect(s.slot("new.test")).not.toBe(old);
    expect([s.holds(old), s.holds(s.slot("new.test"))]).toEqual([[], ["h:1"]]);
  });

  it("rests before it serves somebody else", () => {
    const s = stage(100);
    s.add(1, ["a.test"]);
    s.drop(1, ["a.test"]);
    s.forget();
    expect(s.slots()).toEqual([]);
    s.later(99);
    s.add(2, ["b.test"]);
    expect(s.slot("b.test")).toBe(2);
    s.later(1);
    s.add(3, ["c.test"]);
    expect(s.slot("c.test")).toBe(1);
  });

  it("of a name without endpoints stays, and is not shared with other such names", () => {
    const s = stage();
    s.add(1, ["a.test"], "a");
    s.add(2, ["b.test"], "b");
    s.drop(1, ["a.test"]);
    s.drop(2, ["b.test"]);
    expect([s.slot("a.test"), s.slot("b.test")]).toEqual([1, 2]);
  });
});
