import { describe, expect, it } from "vitest";
import { type Endpoint, endpointOf, lifetime } from "../../../agent/router/endpoint.ts";
import { RouteTable } from "../../../agent/router/table.ts";

const endpoint = (port: number, more: Partial<Endpoint> = {}): Endpoint => ({
  ...{ key: `10.0.0.1:${port}`, host: "10.0.0.1", port, ip: "10.0.0.1", app: "app", dea: undefined },
  ...{ instance: `i-${port}`, index: "0", tags: {}, ttl: 120 },
  ...more,
});
const from = (port: number, uris: string[], more: object = {}) => ({ host: "10.0.0.1", port, uris, ...more });
const serves = (table: RouteTable, name: string) =>
  [...(table.route(name)?.members.keys() ?? [])].map(({ endpoint }) => endpoint.key);

describe("the route table", () => {
  it("keeps a name with every endpoint that registers for it", () => {
    const table = new RouteTable();
    table.register(endpoint(1), ["A.test", "b.test/x?q"], 0);
    table.register(endpoint(2), ["a.test"], 0);
    expect(serves(table, "a.test")).toEqual(["10.0.0.1:1", "10.0.0.1:2"]);
    expect(serves(table, "b.test/x")).toEqual(["10.0.0.1:1"]);
  });

  it("says that nothing changed when a registration only repeats itself", () => {
    const table = new RouteTable();
    expect(table.register(endpoint(1), ["a.test"], 0).touched.size).toBe(1);
    expect(table.register(endpoint(1), ["a.test"], 5).touched.size).toBe(0);
  });

  it("names the uris that are no routes and takes the others", () => {
    const table = new RouteTable();
    expect(table.register(endpoint(1), ["a b", "a.test"], 0).refused).toEqual(["a b"]);
    expect(table.size).toBe(1);
  });

  it("knows nothing of an endpoint whose every uri was refused", () => {
    const table = new RouteTable();
    table.register(endpoint(1), [";"], 0);
    expect(table.endpoint("10.0.0.1:1")).toBeUndefined();
  });

  it("takes an endpoint off the names of an unregistration and leaves it on others", () => {
    const table = new RouteTable();
    table.register(endpoint(1), ["a.test", "b.test"], 0);
    table.unregister(from(1, ["A.test"]), 1);
    expect(serves(table, "a.test")).toEqual([]);
    expect(serves(table, "b.test")).toEqual(["10.0.0.1:1"]);
  });

  it("takes no notice of an unregistration of names or endpoints it does not know", () => {
    const table = new RouteTable();
    table.register(endpoint(1), ["a.test"], 0);
    expect(table.unregister(from(2, ["a.test"]), 1).touched.size).toBe(0);
    expect(table.unregister(from(1, ["z.test", ";"]), 1).touched.size).toBe(0);
  });
});

describe("a port that another instance took over", () => {
  it("serves none of the names of the one before", () => {
    const table = new RouteTable();
    table.register(endpoint(1, { app: "old", instance: "i-old" }), ["old.test", "old2.test"], 0);
    const { touched } = table.register(endpoint(1, { app: "new", instance: "i-new" }), ["new.test"], 1);
    expect(serves(table, "old.test")).toEqual([]);
    expect(serves(table, "old2.test")).toEqual([]);
    expect(serves(table, "new.test")).toEqual(["10.0.0.1:1"]);
    expect([...touched].map(({ name }) => name).sort()).toEqual(["new.test", "old.test", "old2.test"]);
  });

  it("is not taken from its new owner by the late goodbye of the one before", () => {
    const table = new RouteTable();
    table.register(endpoint(1, { instance: "i-old" }), ["a.test"], 0);
    table.register(endpoint(1, { instance: "i-new" }), ["a.test"], 1);
    table.unregister(from(1, ["a.test"], { private_instance_id: "i-old" }), 2);
    table.unregister(from(1, ["a.test"], { app: "another" }), 2);
    expect(serves(table, "a.test")).toEqual(["10.0.0.1:1"]);
    table.unregister(from(1, ["a.test"], { private_instance_id: "i-new" }), 3);
    expect(serves(table, "a.test")).toEqual([]);
  });
});

describe("pruning", () => {
  it("drops an endpoint that had no news for its time, to the millisecond", () => {
    const table = new RouteTable();
    table.register(endpoint(1), ["a.test"], 0);
    table.prune(119, 1000);
    expect(serves(table, "a.test")).toHaveLength(1);
    table.prune(120, 1000);
    expect(serves(table, "a.test")).toHaveLength(0);
  });

  it("drops one name of an endpoint that is no longer repeated, and keeps its others", () => {
    const table = new RouteTable();
    table.register(endpoint(1), ["a.test", "b.test"], 0);
    table.register(endpoint(1), ["b.test"], 100);
    table.prune(150, 1000);
    expect([serves(table, "a.test"), serves(table, "b.test")]).toEqual([[], ["10.0.0.1:1"]]);
  });

  it("forgets a name that nobody has served for the time of grace, and not before", () => {
    const table = new RouteTable();
    table.register(endpoint(1), ["a.test"], 0);
    table.unregister(from(1, ["a.test"]), 10);
    table.prune(39, 30);
    expect(table.route("a.test")).toBeDefined();
    expect([...table.prune(40, 30).touched].map(({ name }) => name)).toEqual(["a.test"]);
    expect([table.route("a.test"), table.size, [...table.hosts()]]).toEqual([undefined, 0, []]);
  });

  it("drops nothing that was freshened, however old it was", () => {
    const table = new RouteTable();
    table.register(endpoint(1), ["a.test"], 0);
    table.freshen(10_000);
    expect(table.prune(10_100, 30).touched.size).toBe(0);
  });
});

describe("a registration", () => {
  const message = { host: "10.0.0.1", port: 80, uris: ["a.test"], tags: {} };

  it("lives 120 beats; its sender may shorten that and never lengthen it", () => {
    expect(lifetime(undefined, 10)).toBe(1200);
    expect(lifetime(0, 10)).toBe(1200);
    expect(lifetime(5, 10)).toBe(50);
    expect(lifetime(500, 10)).toBe(1200);
    expect(lifetime(-1, 10)).toBe(1200);
  });

  it("is refused with the reason when it names no port, no address or an id that is none", () => {
    expect(endpointOf({ ...message, port: 0 }, "10.0.0.1", 1)).toMatch(/no port/);
    expect(endpointOf(message, "nowhere.invalid", 1)).toMatch(/no.*address/);
    expect(endpointOf({ ...message, app: "a b" }, "10.0.0.1", 1)).toMatch(/no id/);
    expect(endpointOf({ ...message, private_instance_id: "a;b" }, "10.0.0.1", 1)).toMatch(/no id/);
    expect(endpointOf({ ...message, private_instance_index: "0;1" }, "10.0.0.1", 1)).toMatch(/no number/);
  });
});
