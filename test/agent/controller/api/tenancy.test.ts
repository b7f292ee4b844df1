import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { domainGuid, newApp, spaceGuid, type TestApi, testApi } from "../../../support/controller.ts";

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});
afterAll(() => api.close());

const organization = async (name: string) => (await api.ask("POST", "/v3/organizations", { body: { name } })).body;
const space = (name: string, guid: string) =>
  api.ask("POST", "/v3/spaces", { body: { name, relationships: { organization: { data: { guid } } } } });
const detail = (reply: { status: number; body: { errors: { code: number; detail: string }[] } }) =>
  `${reply.status} ${reply.body.errors[0]?.code} ${reply.body.errors[0]?.detail}`;

describe("the roots", () => {
  test("lead a client everywhere, by the name under which it came", async () => {
    const headers = { host: "api.tutti.localhost:8080", "x-forwarded-proto": "https" };
    const { body } = await api.ask("GET", "/", { anonymous: true, headers });
    const here = { href: "https://api.tutti.localhost:8080" };
    expect(body.links).toMatchObject({
      self: here,
      login: here,
      uaa: here,
      log_cache: here,
      app_ssh: null,
      logging: null,
    });
    expect(body.links.cloud_controller_v3).toEqual({
      href: `${here.href}/v3`,
      meta: { version: expect.stringMatching(/^3\.\d+\.0$/) },
    });
    const v3 = await api.ask("GET", "/v3", { anonymous: true, headers });
    expect(v3.body.links.apps.href).toBe(`${here.href}/v3/apps`);
    expect((await api.ask("GET", "/v3/info", { anonymous: true })).body).toMatchObject({
      name: "tutti",
      build: "0.0.1",
    });
  });
});

describe("an organization", () => {
  test("is made, shown, renamed and labelled", async () => {
    const one = await organization("acme");
    expect(one).toMatchObject({
      guid: expect.any(String),
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      name: "acme",
      suspended: false,
      relationships: { quota: { data: { guid: expect.any(String) } } },
      metadata: { labels: {}, annotations: {} },
      links: { self: { href: `http://api.tutti.test/v3/organizations/${one.guid}` } },
    });
    const body = { name: "acme2", metadata: { labels: { env: "prod", old: "x" } } };
    await api.ask("PATCH", `/v3/organizations/${one.guid}/`, { body });
    const patched = await api.ask("PATCH", `/v3/organizations/${one.guid}`, {
      body: { metadata: { labels: { old: null } } },
    });
    expect(patched.body).toMatchObject({ name: "acme2", metadata: { labels: { env: "prod" } } });
    expect(patched.body.metadata.labels.old).toBeUndefined();
    const listed = await api.ask("GET", "/v3/organizations?names=acme2&order_by=name&label_selector=env%3Dprod");
    expect(listed.body.resources.map(({ name }: { name: string }) => name)).toEqual(["acme2"]);
    expect((await api.ask("GET", `/v3/organizations/${one.guid}/usage_summary`)).body.usage_summary.memory_in_mb).toBe(
      0,
    );
    expect((await api.ask("GET", one.links.quota.href.replace("http://api.tutti.test", ""))).status).toBe(200);
  });

  test("has a name of its own", async () => {
    await organization("twice");
    const again = await api.ask("POST", "/v3/organizations", { body: { name: "Twice" } });
    expect(detail(again)).toBe("422 10008 Organization 'Twice' already exists.");
  });

  test("takes everything in it with it when it is deleted", async () => {
    const { guid } = await organization("leaving");
    const { body } = await space("inner", guid);
    await api.ask("POST", "/v3/domains", {
      body: { name: "leaving.example", relationships: { organization: { data: { guid } } } },
    });
    const gone = await api.ask("DELETE", `/v3/organizations/${guid}`);
    expect(gone.status).toBe(202);
    expect(await api.job(gone)).toMatchObject({
      operation: "organization.delete",
      state: "COMPLETE",
      errors: [],
      warnings: [],
    });
    for (const path of [`/v3/organizations/${guid}`, `/v3/spaces/${body.guid}`])
      expect((await api.ask("GET", path)).status).toBe(404);
    expect(api.tables.domains.all().some(({ name }) => name === "leaving.example")).toBe(false);
  });
});

describe("a space", () => {
  test("is made in an organization that is there, once of each name", async () => {
    const { guid } = await organization("home");
    const { status, body } = await space("dev", guid);
    expect([status, body.relationships.organization.data.guid]).toEqual([201, guid]);
    expect(detail(await space("dev", guid))).toBe("422 10008 Name must be unique per organization");
    expect(detail(await space("dev", "nowhere"))).toMatch(/^422 10008 Invalid organization/);
    const listed = await api.ask("GET", `/v3/spaces?organization_guids=${guid}&include=organization`);
    expect(listed.body.resources).toHaveLength(1);
    expect(listed.body.included.organizations[0].name).toBe("home");
    expect(detail(await api.ask("GET", "/v3/spaces?include=moon"))).toMatch(
      /^400 10005.*Invalid included resource: 'moon'/,
    );
  });

  test("takes its apps and routes with it, and its unmapped routes can go alone", async () => {
    const { body } = await space("short-lived", (await organization("short")).guid);
    const app = await api.ask("POST", "/v3/apps", {
      body: { name: "a", relationships: { space: { data: { guid: body.guid } } } },
    });
    const relationships = { space: { data: { guid: body.guid } }, domain: { data: { guid: domainGuid(api) } } };
    await api.ask("POST", "/v3/routes", { body: { host: "unmapped", relationships } });
    expect((await api.ask("DELETE", `/v3/spaces/${body.guid}/routes`)).status).toBe(400);
    expect((await api.job(await api.ask("DELETE", `/v3/spaces/${body.guid}/routes?unmapped=true`))).state).toBe(
      "COMPLETE",
    );
    expect(api.tables.routes.all().some(({ host }) => host === "unmapped")).toBe(false);
    await api.job(await api.ask("DELETE", `/v3/spaces/${body.guid}`));
    expect(api.tables.apps.get(app.body.guid)).toBeUndefined();
  });
});

describe("a domain", () => {
  test("is shared or an organization's own, and the first shared one is the default", async () => {
    const { guid } = await organization("with-domain");
    const relationships = { organization: { data: { guid } } };
    const own = await api.ask("POST", "/v3/domains", { body: { name: "Own.Example", relationships } });
    expect(own.body).toMatchObject({
      name: "own.example",
      supported_protocols: ["http"],
      router_group: null,
      relationships,
    });
    const names = (await api.ask("GET", `/v3/organizations/${guid}/domains`)).body.resources.map(
      (one: { name: string }) => one.name,
    );
    expect(names.sort()).toEqual(["own.example", "tutti.test"]);
    expect((await api.ask("GET", `/v3/organizations/${guid}/domains/default`)).body.name).toBe("tutti.test");
    const other = (await organization("without-domain")).guid;
    expect((await api.ask("GET", `/v3/organizations/${other}/domains`)).body.resources).toHaveLength(1);
  });

  test("is refused when it is none, or there already, and the cluster's own stays", async () => {
    for (const name of ["x", "no-dot", "-a.example", "a..b", "a b.example"])
      expect([name, (await api.ask("POST", "/v3/domains", { body: { name } })).status]).toEqual([name, 422]);
    expect(detail(await api.ask("POST", "/v3/domains", { body: { name: "tutti.test" } }))).toMatch(/already in use/);
    expect((await api.ask("DELETE", `/v3/domains/${domainGuid(api)}`)).status).toBe(422);
  });
});

describe("what a client may get wrong", () => {
  const cases: [
    string,
    () => Promise<{ status: number; body: { errors: { code: number; detail: string; title: string }[] } }>,
    string,
  ][] = [
    ["an unknown path", () => api.ask("GET", "/v3/nonsense"), "404 10000 CF-NotFound Unknown request"],
    ["an unknown guid", () => api.ask("GET", "/v3/apps/nope"), "404 10010 CF-ResourceNotFound App not found"],
    [
      "broken JSON",
      () => api.ask("POST", "/v3/apps", { body: "{", headers: { "content-type": "application/json" } }),
      "400 1001 CF-MessageParseError Request invalid due to parse error: invalid request body",
    ],
    [
      "another content type",
      () => api.ask("POST", "/v3/apps", { body: "<a/>", headers: { "content-type": "text/xml" } }),
      "400 1003 CF-InvalidContentType Invalid content type, expected: application/json",
    ],
    [
      "an unknown field",
      () => api.ask("POST", "/v3/organizations", { body: { name: "x", x: 1 } }),
      "422 10008 CF-UnprocessableEntity Unknown field(s): 'x'",
    ],
    [
      "a poisoned prototype",
      () =>
        api.ask("POST", "/v3/organizations", {
          body: '{"name":"x","__proto__":{"a":1}}',
          headers: { "content-type": "application/json" },
        }),
      "400 1001 CF-MessageParseError Request invalid due to parse error: invalid request body",
    ],
    [
      "a body that is too large",
      () => api.ask("POST", "/v3/organizations", { body: { name: "x".repeat(2_000_000) } }),
      "413 160003 CF-AppBitsTooLarge The request body is larger than this endpoint takes",
    ],
  ];
  test.each(cases)("%s is told in Cloud Foundry's form", async (_what, ask, expected) => {
    const { status, body } = await ask();
    const [error] = body.errors;
    expect(`${status} ${error?.code} ${error?.title} ${error?.detail}`).toBe(expected);
  });

  test("an error inside tells nothing of the inside, and the log has it with the request's id", async () => {
    const { all } = api.tables.events;
    api.tables.events.all = () => {
      throw new Error("secret inner state");
    };
    const { status, body, headers } = await api.ask("GET", "/v3/audit_events", {
      headers: { "x-vcap-request-id": "abc-123" },
    });
    api.tables.events.all = all;
    expect([status, body]).toEqual([
      500,
      { errors: [{ code: 10001, title: "CF-UnknownError", detail: "An unknown error occurred." }] },
    ]);
    expect(headers["x-vcap-request-id"]).toBe("abc-123");
    expect(api.log.find((line) => line.includes("secret inner state"))).toMatch(/error A request failed.*abc-123/);
    expect(api.log.join("\n")).not.toContain(api.token);
  });
});

test("lists that clients ask for at login and push are there, if only empty", async () => {
  const paths = [
    "isolation_segments",
    "feature_flags",
    "security_groups",
    "stacks",
    "buildpacks",
    "users",
    "roles",
    "service_instances",
    "audit_events",
    "jobs/none",
  ];
  const statuses = await Promise.all(
    paths.map(async (path) => `${path} ${(await api.ask("GET", `/v3/${path}?per_page=5000`)).status}`),
  );
  expect(statuses).toEqual([...paths.slice(0, -1).map((path) => `${path} 200`), "jobs/none 404"]);
  expect((await api.ask("GET", "/v3/buildpacks")).body.resources.map((one: { name: string }) => one.name)).toEqual([
    "nodejs",
    "python",
    "static",
    "procfile",
  ]);
  expect((await api.ask("GET", "/v3/stacks?names=tutti")).body.resources[0]).toMatchObject({
    name: "tutti",
    default: true,
  });
  expect(detail(await api.ask("GET", "/v3/feature_flags/diego_docker"))).toBe("404 10010 Feature flag not found");
});

test("roles are written down once for each person and place", async () => {
  const relationships = { user: { data: { guid: api.admin.guid } }, space: { data: { guid: spaceGuid(api) } } };
  const body = { type: "space_developer", relationships };
  const { status, body: role } = await api.ask("POST", "/v3/roles", { body });
  expect([status, role.relationships.space.data.guid]).toEqual([201, spaceGuid(api)]);
  expect(detail(await api.ask("POST", "/v3/roles", { body }))).toMatch(
    /^422 10008 User 'me@tutti.test' already has 'space_developer' role in space 'dev'\.$/,
  );
  const listed = await api.ask("GET", `/v3/roles?space_guids=${spaceGuid(api)}&include=user`);
  expect(listed.body.included.users[0].username).toBe("me@tutti.test");
  expect((await api.job(await api.ask("DELETE", `/v3/roles/${role.guid}`))).state).toBe("COMPLETE");
  await newApp(api);
});
