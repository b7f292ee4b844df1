import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  newApp,
  newDroplet,
  newPackage,
  spaceGuid,
  startedApp,
  type TestApi,
  testApi,
} from "../../../support/controller.ts";

let api: TestApi;
beforeAll(async () => {
  api = await testApi();
});
beforeEach(() => {
  api.engine.calls.length = 0;
});
afterAll(() => api.close());

const told = (what: string) => api.engine.calls.filter((call) => call.startsWith(what));
const detail = (reply: { status: number; body: { errors: { code: number; detail: string }[] } }) =>
  `${reply.status} ${reply.body.errors[0]?.code} ${reply.body.errors[0]?.detail}`;

describe("a build", () => {
  async function ready(app: string) {
    const guid = await newPackage(api, app);
    await api.tables.packages.update(guid, (old) => ({ ...old, state: "READY", sha256: "0".repeat(64) }));
    return guid;
  }

  test("is handed to a stager and shown with everything a client reads", async () => {
    const app = await newApp(api);
    const guid = await ready(app);
    const { status, body } = await api.ask("POST", "/v3/builds", {
      body: { package: { guid }, staging_memory_in_mb: 512 },
    });
    expect([status, told("stage")]).toEqual([201, [`stage ${body.guid}`]]);
    expect(body).toMatchObject({
      ...{ state: "STAGING", error: null, package: { guid }, droplet: null, staging_memory_in_mb: 512 },
      ...{
        created_by: { guid: api.admin.guid, name: "me@tutti.test" },
        relationships: { app: { data: { guid: app } } },
      },
    });
    const droplet = await newDroplet(api, app);
    await api.tables.builds.update(body.guid, (old) => ({ ...old, state: "STAGED", droplet: droplet.guid }));
    const done = (await api.ask("GET", `/v3/builds/${body.guid}`)).body;
    expect([done.state, done.droplet]).toEqual(["STAGED", { guid: droplet.guid }]);
    expect((await api.ask("GET", `/v3/apps/${app}/builds?states=STAGED`)).body.resources).toHaveLength(1);
    expect((await api.ask("GET", `/v3/builds?package_guids=${guid}`)).body.resources).toHaveLength(1);
  });

  test("waits for its package, and for the one before it", async () => {
    const app = await newApp(api);
    const early = await newPackage(api, app);
    const build = (guid: string) => api.ask("POST", "/v3/builds", { body: { package: { guid } } });
    expect(detail(await build(early))).toBe("400 1004 Bad request: Cannot stage package whose state is not ready.");
    expect(detail(await build("none"))).toMatch(/^422 10008 Unable to use package/);
    const guid = await ready(app);
    await build(guid);
    expect(detail(await build(guid))).toBe("422 170017 Only one build can be STAGING at a time per application.");
  });
});

describe("a droplet", () => {
  test("is shown with its process types, and downloaded", async () => {
    const app = await newApp(api);
    const { guid } = await newDroplet(api, app, "the bytes");
    const { body } = await api.ask("GET", `/v3/droplets/${guid}`);
    expect(body).toMatchObject({
      ...{ state: "STAGED", process_types: { web: "node app.js", worker: "node worker.js" }, stack: "tutti" },
      ...{ buildpacks: [{ name: "nodejs", detect_output: "nodejs" }], relationships: { app: { data: { guid: app } } } },
    });
    const bytes = await api.ask("GET", `/v3/droplets/${guid}/download`);
    expect([bytes.status, bytes.body]).toEqual([200, "the bytes"]);
    expect(
      (await api.ask("GET", `/v3/apps/${app}/droplets?states=STAGED&order_by=-created_at`)).body.resources,
    ).toHaveLength(1);
  });

  test("that runs is not deleted, another is", async () => {
    const app = await startedApp(api);
    const current = api.tables.apps.get(app)?.droplet;
    expect((await api.ask("DELETE", `/v3/droplets/${current}`)).status).toBe(422);
    const { guid } = await newDroplet(api, app);
    expect((await api.job(await api.ask("DELETE", `/v3/droplets/${guid}`))).state).toBe("COMPLETE");
  });
});

describe("a deployment", () => {
  const deploy = (app: string, more: object = {}) =>
    api.ask("POST", "/v3/deployments", { body: { relationships: { app: { data: { guid: app } } }, ...more } });

  test("of a running app is rolled, and what runs is left alone until then", async () => {
    const app = await startedApp(api);
    const before = api.tables.processes.get(app)?.version;
    const previous = api.tables.apps.get(app)?.droplet;
    const { guid: droplet } = await newDroplet(api, app);
    const { status, body } = await deploy(app, {
      droplet: { guid: droplet },
      strategy: "rolling",
      options: { max_in_flight: 2 },
    });
    expect([status, told("roll"), told("converge")]).toEqual([201, [`roll ${body.guid}`], []]);
    expect(body).toMatchObject({
      ...{ status: { value: "ACTIVE", reason: "DEPLOYING" }, strategy: "rolling", options: { max_in_flight: 2 } },
      ...{ droplet: { guid: droplet }, previous_droplet: { guid: previous }, new_processes: [{ type: "web" }] },
    });
    expect(body.links.cancel.method).toBe("POST");
    expect(api.tables.processes.get(app)?.version).toBe(before);
    expect((await api.ask("GET", `/v3/deployments?app_guids=${app}&status_values=ACTIVE`)).body.resources).toHaveLength(
      1,
    );
    for (const path of [`/v3/processes/${app}/actions/scale`, `/v3/processes/${app}`])
      expect(detail(await api.ask(path.endsWith("scale") ? "POST" : "PATCH", path, { body: {} }))).toMatch(
        /while a deployment is in flight/,
      );
    expect((await api.ask("POST", `/v3/deployments/${body.guid}/actions/cancel`)).status).toBe(200);
    expect(api.tables.deployments.get(body.guid)).toMatchObject({ status: "ACTIVE", reason: "CANCELING" });
    await api.tables.deployments.update(body.guid, (old) => ({ ...old, status: "FINALIZED", reason: "CANCELED" }));
    const late = await api.ask("POST", `/v3/deployments/${body.guid}/actions/cancel`);
    expect(detail(late)).toBe("422 10008 Cannot cancel a deployment with status: FINALIZED and reason: CANCELED");
  });

  test("of a stopped app starts it with the droplet", async () => {
    const app = await newApp(api);
    const { guid: droplet } = await newDroplet(api, app);
    const { body } = await deploy(app, { droplet: { guid: droplet } });
    expect(body.status).toMatchObject({ value: "FINALIZED", reason: "DEPLOYED" });
    expect(api.tables.apps.get(app)).toMatchObject({ state: "STARTED", droplet });
    expect(told("converge")).toContain(`converge ${app}`);
  });

  test("needs an app, a droplet and a strategy that are there", async () => {
    const app = await newApp(api);
    expect(detail(await deploy("none"))).toMatch(/Unable to use app/);
    expect(detail(await deploy(app))).toMatch(/Invalid droplet/);
    expect(detail(await deploy(app, { strategy: "canary" }))).toMatch(/must be rolling/);
    expect(detail(await deploy(app, { options: { max_in_flight: 0 } }))).toMatch(/must be greater than 0/);
  });
});

describe("a manifest", () => {
  const yaml = { "content-type": "application/x-yaml" };
  const apply = (text: string) =>
    api.ask("POST", `/v3/spaces/${spaceGuid(api)}/actions/apply_manifest`, { body: text, headers: yaml });
  const text = (more = "") => `
applications:
- name: from-manifest
  memory: 128M
  disk_quota: 512M
  instances: 2
  command: node app.js
  health-check-type: http
  health-check-http-endpoint: /health
  buildpacks: [nodejs]
  env: { A: 1, B: two }
  routes:
  - route: from-manifest.tutti.test/v1
  processes:
  - type: worker
    instances: 1
    memory: 64M
${more}`;

  test("makes the app what it says, and applying it again changes nothing", async () => {
    const first = await apply(text());
    expect(first.status).toBe(202);
    expect(await api.job(first)).toMatchObject({ operation: "space.apply_manifest", state: "COMPLETE" });
    const app = api.tables.apps.all().find(({ name }) => name === "from-manifest");
    expect(app).toMatchObject({ buildpacks: ["nodejs"], env: { A: "1", B: "two" } });
    const web = (await api.ask("GET", `/v3/apps/${app?.guid}/processes/web`)).body;
    expect(web).toMatchObject({
      instances: 2,
      memory_in_mb: 128,
      disk_in_mb: 512,
      command: "node app.js",
      health_check: { type: "http", data: { endpoint: "/health" } },
    });
    expect((await api.ask("GET", `/v3/apps/${app?.guid}/processes/worker`)).body).toMatchObject({
      instances: 1,
      memory_in_mb: 64,
    });
    expect(
      (await api.ask("GET", `/v3/apps/${app?.guid}/routes`)).body.resources.map((one: { url: string }) => one.url),
    ).toEqual(["from-manifest.tutti.test/v1"]);
    const versions = api.tables.processes.all().map(({ version }) => version);
    expect((await api.job(await apply(text()))).state).toBe("COMPLETE");
    expect(api.tables.processes.all().map(({ version }) => version)).toEqual(versions);
    const diff = await api.ask("POST", `/v3/spaces/${spaceGuid(api)}/manifest_diff`, {
      body: text().replace("128M", "256M"),
      headers: yaml,
    });
    expect([diff.status, diff.body.diff.map((one: { path: string; op: string }) => `${one.op} ${one.path}`)]).toEqual([
      201,
      ["replace /applications/0/memory", "replace /applications/0/env/A"],
    ]);
    const shown = await api.ask("GET", `/v3/apps/${app?.guid}/manifest`);
    expect([shown.headers["content-type"], shown.body]).toEqual([
      expect.stringContaining("yaml"),
      expect.stringMatching(/name: from-manifest[\s\S]*memory: 128M/),
    ]);
  });

  test("does not disturb what runs: larger memory waits for the next start", async () => {
    const app = await startedApp(api, "running");
    const before = api.tables.processes.get(app)?.version;
    await api.job(await apply("applications:\n- name: running\n  memory: 1G\n"));
    expect(api.tables.processes.get(app)).toMatchObject({ memory_in_mb: 1024, version: before });
  });

  test("gives an app its default route, a random one, or none", async () => {
    const urls = async (name: string) => {
      const guid = api.tables.apps.all().find((one) => one.name === name)?.guid;
      return (await api.ask("GET", `/v3/apps/${guid}/routes`)).body.resources.map((one: { url: string }) => one.url);
    };
    await api.job(
      await apply(
        "applications:\n- name: by-default\n  default-route: true\n- name: by-chance\n  random-route: true\n",
      ),
    );
    expect(await urls("by-default")).toEqual(["by-default.tutti.test"]);
    expect((await urls("by-chance"))[0]).toMatch(/^by-chance-[0-9a-f]{8}\.tutti\.test$/);
    await api.job(await apply("applications:\n- name: by-default\n  no-route: true\n"));
    expect(await urls("by-default")).toEqual([]);
    const failed = await api.job(
      await apply("applications:\n- name: lost\n  routes: [{ route: lost.elsewhere.example }]\n"),
    );
    expect(failed).toMatchObject({
      state: "FAILED",
      errors: [{ code: 10008, detail: expect.stringMatching(/did not match any existing domains/) }],
    });
  });

  test("that is wrong is refused with every reason and its app", async () => {
    const refusal = async (body: string) => detail(await apply(body));
    expect(await refusal("applications:\n- memory: 1M\n- name: x\n  memory: lots\n  docker: { image: y }\n")).toMatch(
      /^422 10008 For application at index 0: name .*For application 'x': memory must use a supported unit.*For application 'x': docker is not supported here/,
    );
    expect(await refusal("hello")).toMatch(/no 'applications' field/);
    expect(await refusal("version: 2\napplications: [{ name: x }]")).toMatch(/Unsupported manifest schema version/);
    expect(await refusal("a: [")).toMatch(/^400 1001 .*invalid YAML/);
    expect(
      await refusal(`a: &a [x]\nb: &b [${"*a,".repeat(99)}*a]\nc: &c [${"*b,".repeat(99)}*b]\napplications: *c`),
    ).toMatch(/^4\d\d/);
    const json = await api.ask("POST", `/v3/spaces/${spaceGuid(api)}/actions/apply_manifest`, { body: {} });
    expect(detail(json)).toMatch(/Content-Type must be yaml/);
  });
});

describe("logs", () => {
  test("are read as log-cache's clients do", async () => {
    const app = await newApp(api);
    api.engine.lines = [
      { at: 1_700_000_000_000_000_001n, source: "APP/PROC/WEB", instance: "1", err: true, text: "héllo" },
      { at: 1_700_000_000_000_000_002n, source: "STG", instance: "", err: false, text: "staging" },
    ];
    const { body } = await api.ask(
      "GET",
      `/api/v1/read/${app}?start_time=-6795364578871345152&descending=true&limit=1000&envelope_types=LOG`,
    );
    expect(body.envelopes.batch).toHaveLength(2);
    expect(body.envelopes.batch[1]).toMatchObject({
      ...{ timestamp: "1700000000000000001", source_id: app, instance_id: "1" },
      ...{
        tags: { source_type: "APP/PROC/WEB" },
        log: { payload: Buffer.from("héllo").toString("base64"), type: "ERR" },
      },
    });
    expect((await api.ask("GET", `/api/v1/read/${app}?limit=1`)).body.envelopes.batch).toHaveLength(1);
    expect((await api.ask("GET", `/api/v1/read/${app}?start_time=yesterday`)).status).toBe(400);
    expect((await api.ask("GET", "/api/v1/read/none")).status).toBe(404);
    expect((await api.ask("GET", `/api/v1/read/${app}`, { anonymous: true })).status).toBe(401);
    expect((await api.ask("GET", "/api/v1/info", { anonymous: true })).body.version).toMatch(/^3\./);
  });
});

describe("what is tutti's own", () => {
  test("shows nodes, roles, components, readiness and what the bus said of an app", async () => {
    const node = {
      id: "one",
      address: "10.0.0.1",
      version: "1",
      state: "UP" as const,
      roles: ["core", "dea"],
      components: [],
      seen: 1,
    };
    const component = { type: "CloudController", index: 0, uuid: "u", host: "h", uptime: "1", healthy: true };
    api.engine.nodes = () => [node, { ...node, id: "two", roles: ["dea"] }];
    api.engine.components = async () => [component];
    expect((await api.ask("GET", "/tutti/nodes")).body.resources).toHaveLength(2);
    expect((await api.ask("GET", "/tutti/nodes/two")).body.roles).toEqual(["dea"]);
    expect((await api.ask("GET", "/tutti/nodes/three")).status).toBe(404);
    expect((await api.ask("GET", "/tutti/roles")).body.resources).toEqual([
      { name: "core", nodes: ["one"] },
      { name: "dea", nodes: ["one", "two"] },
    ]);
    expect((await api.ask("GET", "/tutti/components")).body.resources).toEqual([component]);
    expect((await api.ask("GET", "/tutti/status")).body).toMatchObject({ ready: true, counts: { users: 1 } });
    const ready = await api.ask("GET", "/tutti/ready", { anonymous: true });
    expect([ready.status, ready.body]).toEqual([
      200,
      { ready: true, licensed: true, missing: [], components: [{ type: "CloudController", expected: 1, healthy: 1 }] },
    ]);
    api.engine.components = async () => [];
    expect((await api.ask("GET", "/tutti/ready", { anonymous: true })).status).toBe(503);
    const app = await newApp(api, "traced");
    for (const name of [app, "traced"])
      expect((await api.ask("GET", `/tutti/trace/${name}`)).body.resources[0]).toMatchObject({
        subject: "dea.discover",
      });
    expect((await api.ask("GET", "/tutti/trace/none")).status).toBe(404);
  });

  test("brings files of an instance, or says that there is none", async () => {
    const app = await newApp(api);
    expect((await api.ask("GET", `/tutti/apps/${app}/instances/0/files/logs/stdout.log`)).body.errors[0].detail).toBe(
      "Instance not found",
    );
    expect((await api.ask("GET", `/tutti/apps/${app}/instances/0/files`, { anonymous: true })).status).toBe(401);
  });
});
