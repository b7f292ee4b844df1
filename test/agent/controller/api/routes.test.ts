import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { domainGuid, newApp, spaceGuid, type TestApi, testApi } from "../../../support/controller.ts";

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});
beforeEach(() => {
  api.engine.calls.length = 0;
});
afterAll(() => api.close());

const relationships = () => ({
  space: { data: { guid: spaceGuid(api) } },
  domain: { data: { guid: domainGuid(api) } },
});
const create = (more: object) => api.ask("POST", "/v3/routes", { body: { relationships: relationships(), ...more } });
const detail = (reply: { status: number; body: { errors: { detail: string }[] } }) =>
  `${reply.status} ${reply.body.errors[0]?.detail}`;
const told = (what: string) => api.engine.calls.filter((call) => call.startsWith(what));

describe("a route", () => {
  test("is made, shown and found by every filter", async () => {
    const { status, body } = await create({ host: "Hello", path: "/v1" });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      ...{ protocol: "http", host: "hello", path: "/v1", port: null, url: "hello.tutti.test/v1", destinations: [] },
      relationships: relationships(),
    });
    for (const query of [
      "hosts=hello&paths=%2Fv1",
      `domain_guids=${domainGuid(api)}&hosts=hello`,
      `space_guids=${spaceGuid(api)}&hosts=hello`,
    ]) {
      const listed = (await api.ask("GET", `/v3/routes?${query}&include=domain,space.organization`)).body;
      expect([query, listed.resources.map((one: { guid: string }) => one.guid)]).toEqual([query, [body.guid]]);
      expect(listed.included).toMatchObject({ domains: [{ name: "tutti.test" }], spaces: [{ name: "dev" }] });
    }
    const reserved = async (query: string) =>
      (await api.ask("GET", `/v3/domains/${domainGuid(api)}/route_reservations?${query}`)).body;
    expect(await reserved("host=HELLO&path=/v1")).toEqual({ matching_route: true });
    expect(await reserved("host=hello")).toEqual({ matching_route: false });
  });

  test("is there once, and the same name with another path is another route", async () => {
    await create({ host: "twice" });
    expect(detail(await create({ host: "TWICE" }))).toBe(
      "422 Route already exists with host 'twice' for domain 'tutti.test'.",
    );
    expect((await create({ host: "twice", path: "/a" })).status).toBe(201);
    expect(detail(await create({ host: "twice", path: "/a" }))).toMatch(/with host 'twice' and path '\/a'/);
  });

  test("that cannot be reached, or belongs to the cluster, is refused", async () => {
    const refusals: [object, RegExp][] = [
      [{ host: "a b" }, /Host format is invalid/],
      [{ host: "-a" }, /Host format is invalid/],
      [{ host: "x".repeat(64) }, /Host format is invalid/],
      [{}, /Missing host/],
      [{ host: "api" }, /reserved system route/],
      [{ host: "a", path: "/" }, /cannot be a single/],
      [{ host: "a", path: "x" }, /missing the beginning/],
      [{ host: "a", path: "/x?y" }, /cannot contain/],
      [{ host: "a", port: 80 }, /not supported/],
      [{ host: "a", relationships: { ...relationships(), domain: { data: { guid: "none" } } } }, /Invalid domain/],
    ];
    for (const [more, reason] of refusals) expect(detail(await create(more)), JSON.stringify(more)).toMatch(reason);
    expect((await create({ host: "*" })).status).toBe(201);
  });

  test("leads to apps, each told when it changes", async () => {
    const [one, other] = [await newApp(api), await newApp(api)];
    const { guid } = (await create({ host: "mapped" })).body;
    const path = `/v3/routes/${guid}/destinations`;
    const add = (...apps: string[]) =>
      api.ask("POST", path, { body: { destinations: apps.map((app) => ({ app: { guid: app } })) } });
    api.engine.calls.length = 0;
    expect((await add(one)).body.destinations[0]).toMatchObject({
      app: { guid: one, process: { type: "web" } },
      weight: null,
      protocol: "http1",
    });
    expect((await add(one, other)).body.destinations).toHaveLength(2);
    expect(told("routesChanged")).toEqual([`routesChanged ${one}`, `routesChanged ${one}`, `routesChanged ${other}`]);
    expect((await api.ask("GET", `/v3/apps/${other}/routes`)).body.resources[0].url).toBe("mapped.tutti.test");
    const [first] = (await api.ask("GET", path)).body.destinations;
    expect((await api.ask("PATCH", `${path}/${first.guid}`, { body: { protocol: "http1" } })).status).toBe(200);
    expect((await api.ask("DELETE", `${path}/${first.guid}`)).status).toBe(204);
    expect(detail(await api.ask("DELETE", `${path}/${first.guid}`))).toMatch(/^422 Unable to unmap/);
    const replaced = await api.ask("PATCH", path, { body: { destinations: [{ app: { guid: one } }] } });
    expect(replaced.body.destinations.map((to: { app: { guid: string } }) => to.app.guid)).toEqual([one]);
    const types = (await api.ask("GET", `/v3/audit_events?target_guids=${one}`)).body.resources.map(
      (each: { type: string }) => each.type,
    );
    expect(types).toEqual(["audit.app.create", "audit.app.map-route", "audit.app.unmap-route", "audit.app.map-route"]);
  });

  test("does not lead to apps that are not there or live elsewhere", async () => {
    const { guid } = (await create({ host: "strict" })).body;
    const path = `/v3/routes/${guid}/destinations`;
    expect((await api.ask("POST", path, { body: { destinations: [{ app: { guid: "none" } }] } })).status).toBe(422);
    expect((await api.ask("POST", path, { body: { destinations: [] } })).status).toBe(422);
    const organization = api.tables.organizations.all()[0]?.guid;
    const space = await api.ask("POST", "/v3/spaces", {
      body: { name: "far", relationships: { organization: { data: { guid: organization } } } },
    });
    const app = await api.ask("POST", "/v3/apps", {
      body: { name: "far", relationships: { space: { data: { guid: space.body.guid } } } },
    });
    const far = await api.ask("POST", path, { body: { destinations: [{ app: { guid: app.body.guid } }] } });
    expect(detail(far)).toMatch(/different spaces/);
  });

  test("that is deleted is free again, and its apps are told", async () => {
    const app = await newApp(api);
    const { guid } = (await create({ host: "leaving" })).body;
    await api.ask("POST", `/v3/routes/${guid}/destinations`, { body: { destinations: [{ app: { guid: app } }] } });
    api.engine.calls.length = 0;
    expect((await api.job(await api.ask("DELETE", `/v3/routes/${guid}`))).state).toBe("COMPLETE");
    expect(told("routesChanged")).toEqual([`routesChanged ${app}`]);
    expect((await create({ host: "leaving" })).status).toBe(201);
  });
});
