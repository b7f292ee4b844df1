import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Process } from "../../../../agent/controller/records.ts";
import { asRunning } from "../../../../agent/controller/running.ts";
import {
  domainGuid,
  newApp,
  newDroplet,
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

const detail = (reply: { status: number; body: { errors: { detail: string }[] } }) =>
  `${reply.status} ${reply.body.errors[0]?.detail}`;
const relationships = () => ({ space: { data: { guid: spaceGuid(api) } } });
const version = (guid: string) => api.tables.processes.get(guid)?.version;
const told = (what: string) => api.engine.calls.filter((call) => call.startsWith(what));
const events = async (guid: string) =>
  (await api.ask("GET", `/v3/audit_events?target_guids=${guid}`)).body.resources.map(
    (one: { type: string }) => one.type,
  );

describe("an app", () => {
  test("is made with a web process that has its guid, and shown with everything a client reads", async () => {
    const body = {
      name: "hello",
      relationships: relationships(),
      environment_variables: { A: "1" },
      lifecycle: { type: "buildpack", data: { buildpacks: ["nodejs_buildpack"], stack: null } },
      metadata: { labels: { tier: "web" } },
    };
    const { status, body: app } = await api.ask("POST", "/v3/apps", { body });
    expect(status).toBe(201);
    expect(app).toMatchObject({
      name: "hello",
      state: "STOPPED",
      lifecycle: { type: "buildpack", data: { buildpacks: ["nodejs"], stack: "tutti" } },
      relationships: { space: { data: { guid: spaceGuid(api) } }, current_droplet: { data: null } },
      metadata: { labels: { tier: "web" }, annotations: {} },
    });
    expect(app.links.start).toEqual({
      href: `http://api.tutti.test/v3/apps/${app.guid}/actions/start`,
      method: "POST",
    });
    const { body: process } = await api.ask("GET", `/v3/apps/${app.guid}/processes/web`);
    expect(process).toMatchObject({
      guid: app.guid,
      type: "web",
      instances: 1,
      memory_in_mb: 256,
      disk_in_mb: 1024,
      health_check: { type: "port" },
    });
    expect(await events(app.guid)).toEqual(["audit.app.create"]);
    expect(told("audit")).toEqual(['audit ["USER","me@tutti.test","CREATE_APP","hello","SUCCEEDED"]']);
  });

  test("has a name of its own in its space, whatever the case, also when it is renamed", async () => {
    await newApp(api, "unique");
    const again = await api.ask("POST", "/v3/apps", { body: { name: "Unique", relationships: relationships() } });
    expect(detail(again)).toBe("422 App with the name 'Unique' already exists.");
    const other = await newApp(api, "other");
    expect(detail(await api.ask("PATCH", `/v3/apps/${other}`, { body: { name: "unique" } }))).toMatch(/already exists/);
  });

  test("is refused in a space that is not there, with a lifecycle or buildpack that is not there", async () => {
    const make = async (more: object) =>
      detail(await api.ask("POST", "/v3/apps", { body: { name: "x", relationships: relationships(), ...more } }));
    expect(await make({ relationships: { space: { data: { guid: "none" } } } })).toMatch(/^422 Invalid space/);
    expect(await make({ lifecycle: { type: "docker", data: {} } })).toMatch(/^422 Lifecycle.type must be buildpack/);
    expect(await make({ lifecycle: { data: { buildpacks: ["cobol"] } } })).toMatch(
      /must be an existing admin buildpack/,
    );
    expect(await make({ lifecycle: { data: { stack: "cflinuxfs9" } } })).toMatch(/Stack must be an existing stack/);
    expect(await make({ name: " " })).toMatch(/Name can't be blank/);
    expect(await make({ name: "a\u0007b" })).toMatch(/control characters/);
  });

  test("is found by every filter that clients use", async () => {
    const guid = await newApp(api, "findme");
    const organization = api.tables.organizations.all()[0]?.guid;
    const queries = [
      "names=findme",
      `guids=${guid}`,
      `names=findme&space_guids=${spaceGuid(api)}`,
      `names=findme&organization_guids=${organization}`,
      "names=findme&stacks=tutti",
    ];
    for (const query of queries) {
      const { body } = await api.ask("GET", `/v3/apps?${query}&include=space.organization`);
      expect([query, body.resources.map((one: { guid: string }) => one.guid)]).toEqual([query, [guid]]);
      expect(body.included).toMatchObject({ spaces: [{ name: "dev" }], organizations: [{ name: "tutti" }] });
    }
  });
});

describe("the environment of an app", () => {
  test("is merged, null takes a variable away, and the audit trail has names only", async () => {
    const guid = await newApp(api);
    const set = (variables: object) =>
      api.ask("PATCH", `/v3/apps/${guid}/environment_variables`, { body: { var: variables } });
    await set({ A: "secret-value", B: "2" });
    expect((await set({ A: null, C: "3" })).body.var).toEqual({ B: "2", C: "3" });
    const { body } = await api.ask("GET", `/v3/apps/${guid}/env`);
    expect(body.environment_variables).toEqual({ B: "2", C: "3" });
    expect(body.application_env_json.VCAP_APPLICATION).toMatchObject({
      application_id: guid,
      space_name: "dev",
      organization_name: "tutti",
    });
    expect(JSON.stringify(api.tables.events.all())).not.toContain("secret-value");
    expect(api.engine.calls.join()).not.toContain("secret-value");
  });

  test("cannot take what belongs to the platform, nor what is no variable", async () => {
    const guid = await newApp(api);
    const set = async (variables: object) =>
      detail(await api.ask("PATCH", `/v3/apps/${guid}/environment_variables`, { body: { var: variables } }));
    expect(await set({ VCAP_X: "1" })).toMatch(/cannot start with VCAP_/);
    expect(await set({ PORT: "1" })).toMatch(/cannot set PORT/);
    expect(await set({ "A=B": "1" })).toMatch(/must not contain =/);
    expect(await set({ A: 5 })).toMatch(/must be a string/);
    expect(await set({ A: "x\0y" })).toMatch(/NUL/);
  });
});

describe("starting and stopping", () => {
  test("needs a droplet", async () => {
    const guid = await newApp(api);
    expect(detail(await api.ask("POST", `/v3/apps/${guid}/actions/start`))).toBe(
      "422 Assign a droplet before starting this app.",
    );
    expect((await api.ask("GET", `/v3/apps/${guid}/droplets/current`)).body.errors[0].detail).toBe("Droplet not found");
  });

  test("writes the wish down and has it carried out; a start and a restart have a version of their own", async () => {
    const guid = await newApp(api);
    const { guid: droplet } = await newDroplet(api, guid);
    const assigned = await api.ask("PATCH", `/v3/apps/${guid}/relationships/current_droplet`, {
      body: { data: { guid: droplet } },
    });
    expect(assigned.body.data).toEqual({ guid: droplet });
    expect(told("converge")).toEqual([]);
    const versions = [version(guid)];
    const started = await api.ask("POST", `/v3/apps/${guid}/actions/start`);
    expect([started.status, started.body.state]).toEqual([200, "STARTED"]);
    versions.push(version(guid));
    expect(told("converge")).toContain(`converge ${guid}`);
    await api.ask("POST", `/v3/apps/${guid}/actions/start`);
    expect(version(guid)).toBe(versions[1]);
    await api.ask("POST", `/v3/apps/${guid}/actions/restart`);
    versions.push(version(guid));
    expect(new Set(versions).size).toBe(3);
    expect((await api.ask("POST", `/v3/apps/${guid}/actions/stop`)).body.state).toBe("STOPPED");
    const seen = [
      "audit.app.create",
      "audit.app.droplet.mapped",
      "audit.app.start",
      "audit.app.start",
      "audit.app.restart",
      "audit.app.stop",
    ];
    expect(await events(guid)).toEqual(seen);
  });

  test("with a droplet of another app, or one that failed, is refused", async () => {
    const [one, other] = [await newApp(api), await newApp(api)];
    const foreign = await newDroplet(api, other);
    const assign = (guid: string) =>
      api.ask("PATCH", `/v3/apps/${one}/relationships/current_droplet`, { body: { data: { guid } } });
    expect(detail(await assign(foreign.guid))).toMatch(/^422 Unable to assign current droplet/);
    const own = await newDroplet(api, one);
    await api.tables.droplets.update(own.guid, (old) => ({ ...old, state: "FAILED" }));
    expect((await assign(own.guid)).status).toBe(422);
  });

  test("gives the app a process for every type its droplet knows", async () => {
    const guid = await startedApp(api);
    const { body } = await api.ask("GET", `/v3/apps/${guid}/processes`);
    const seen = body.resources.map(
      (one: { type: string; instances: number; command: string }) => `${one.type} ${one.instances} ${one.command}`,
    );
    expect(seen.sort()).toEqual(["web 1 [PRIVATE DATA HIDDEN IN LISTS]", "worker 0 [PRIVATE DATA HIDDEN IN LISTS]"]);
    expect((await api.ask("GET", `/v3/apps/${guid}/processes/worker`)).body.command).toBe("node worker.js");
  });
});

describe("a process", () => {
  test("is scaled: instances at once, other limits when it is started again", async () => {
    const guid = await startedApp(api);
    const before = version(guid);
    const scaled = await api.ask("POST", `/v3/processes/${guid}/actions/scale`, { body: { instances: 3 } });
    expect([scaled.status, scaled.body.instances]).toEqual([202, 3]);
    expect(version(guid)).toBe(before);
    await api.ask("POST", `/v3/apps/${guid}/processes/web/actions/scale`, { body: { memory_in_mb: 512 } });
    const process = api.tables.processes.get(guid) as Process;
    expect([process.memory_in_mb, asRunning(process).memory_in_mb, process.version]).toEqual([512, 256, before]);
    expect(told("converge")).toHaveLength(2);
    await api.ask("POST", `/v3/apps/${guid}/actions/restart`);
    expect(asRunning(api.tables.processes.get(guid) as Process).memory_in_mb).toBe(512);
    expect(version(guid)).not.toBe(before);
    const { data } = (
      await api.ask("GET", `/v3/audit_events?target_guids=${guid}&types=audit.app.process.scale&order_by=-created_at`)
    ).body.resources[0];
    expect(data).toMatchObject({ process_type: "web", request: { memory_in_mb: 512 } });
  });

  test("refuses sizes that are none", async () => {
    const guid = await newApp(api);
    for (const body of [
      { instances: -1 },
      { instances: 1.5 },
      { memory_in_mb: 0 },
      { disk_in_mb: "1G" },
      { instances: 100_000 },
      { cpu: 1 },
    ])
      expect([body, (await api.ask("POST", `/v3/processes/${guid}/actions/scale`, { body })).status]).toEqual([
        body,
        422,
      ]);
  });

  test("gets another command and health check, which what runs is spared until it is started again", async () => {
    const guid = await startedApp(api);
    const before = version(guid);
    const health_check = { type: "http", data: { endpoint: "/health", timeout: 30 } };
    const patched = await api.ask("PATCH", `/v3/processes/${guid}`, { body: { health_check } });
    expect(patched.body.health_check).toMatchObject(health_check);
    expect(version(guid)).toBe(before);
    const renewed = await api.ask("PATCH", `/v3/processes/${guid}`, { body: { command: "node other.js" } });
    expect(renewed.body.command).toBe("node other.js");
    expect([version(guid), told("converge")]).toEqual([before, []]);
    const now = asRunning(api.tables.processes.get(guid) as Process);
    expect([now.command, now.health_check.type, now.version]).toEqual([undefined, "port", before]);
    await api.ask("POST", `/v3/apps/${guid}/actions/restart`);
    expect(asRunning(api.tables.processes.get(guid) as Process).command).toBe("node other.js");
    const back = await api.ask("PATCH", `/v3/processes/${guid}`, {
      body: { command: null, health_check: { type: "port" } },
    });
    expect([back.body.command, back.body.health_check.data.endpoint]).toEqual(["node app.js", undefined]);
    expect((await api.ask("PATCH", `/v3/processes/${guid}`, { body: { health_check: { type: "tcp" } } })).status).toBe(
      422,
    );
  });

  test("shows each instance as clients read it", async () => {
    const guid = await startedApp(api);
    const usage = { time: "2026-01-01T00:00:00Z", cpu: 0.5, mem: 1000, disk: 2000 };
    api.engine.views = [
      { index: 1, state: "DOWN", uptime: 0, since: 1, details: "no DEA has 512 MiB free" },
      {
        index: 0,
        state: "RUNNING",
        instance: "i",
        host: "10.0.0.1",
        port: 61001,
        uptime: 9,
        since: 1,
        usage,
        mem_quota: 5,
        disk_quota: 6,
        fds_quota: 7,
      },
    ];
    const { body } = await api.ask("GET", `/v3/processes/${guid}/stats`);
    expect(body.resources[0]).toMatchObject({
      ...{
        type: "web",
        index: 0,
        state: "RUNNING",
        host: "10.0.0.1",
        uptime: 9,
        mem_quota: 5,
        disk_quota: 6,
        fds_quota: 7,
        usage,
      },
      ...{
        routable: true,
        instance_ports: [{ external: 61001, internal: 61001 }],
        isolation_segment: null,
        details: null,
      },
    });
    expect(body.resources[1]).toMatchObject({ index: 1, state: "DOWN", details: "no DEA has 512 MiB free" });
    expect((await api.ask("GET", `/v3/apps/${guid}/processes/web/stats`)).body).toEqual(body);
  });

  test("loses one instance on demand, if it has it", async () => {
    const guid = await startedApp(api);
    expect((await api.ask("DELETE", `/v3/processes/${guid}/instances/0`)).status).toBe(204);
    expect(told("stopInstance")).toEqual([`stopInstance ${guid} 0`]);
    for (const index of ["1", "-1", "x", "0.5"])
      expect(detail(await api.ask("DELETE", `/v3/apps/${guid}/processes/web/instances/${index}`))).toBe(
        "404 Instance not found",
      );
  });
});

describe("an app that is deleted", () => {
  test("takes all that was its own, and leaves bits that another still needs", async () => {
    const guid = await startedApp(api, "doomed");
    const other = await newApp(api);
    const shared = await newDroplet(api, guid, "the same bytes");
    await newDroplet(api, other, "the same bytes");
    const own = api.tables.apps.get(guid)?.droplet ?? "";
    const { sha256 } = api.tables.droplets.get(own) ?? {};
    const route = await api.ask("POST", "/v3/routes", {
      body: { host: "doomed", relationships: { ...relationships(), domain: { data: { guid: domainGuid(api) } } } },
    });
    await api.ask("POST", `/v3/routes/${route.body.guid}/destinations`, {
      body: { destinations: [{ app: { guid } }] },
    });
    const gone = await api.ask("DELETE", `/v3/apps/${guid}`);
    expect([gone.status, gone.headers["location"]]).toEqual([
      202,
      expect.stringMatching(/^http:\/\/api\.tutti\.test\/v3\/jobs\//),
    ]);
    expect((await api.job(gone)).state).toBe("COMPLETE");
    expect(told("stop ")).toContain(`stop ${guid}`);
    expect((await api.ask("GET", `/v3/apps/${guid}`)).status).toBe(404);
    expect((await api.ask("GET", `/v3/routes/${route.body.guid}`)).body.destinations).toEqual([]);
    const left = [
      ...api.tables.processes.all(),
      ...api.tables.droplets.all(),
      ...api.tables.packages.all(),
      ...api.tables.builds.all(),
    ];
    expect(left.filter(({ app }) => app === guid)).toEqual([]);
    expect(await api.blobs.has(sha256 ?? "")).toBeUndefined();
    expect(await api.blobs.has(shared.sha256 ?? "")).toBeDefined();
    await newApp(api, "doomed");
  });

  test("keeps its job FAILED with the reason when something is in the way, and can be deleted again", async () => {
    const guid = await newApp(api);
    const { stop } = api.engine;
    api.engine.stop = async () => {
      throw new Error("the bus is away");
    };
    expect(await api.job(await api.ask("DELETE", `/v3/apps/${guid}`))).toMatchObject({
      state: "FAILED",
      errors: [{ code: 10001 }],
    });
    api.engine.stop = stop;
    expect((await api.job(await api.ask("DELETE", `/v3/apps/${guid}`))).state).toBe("COMPLETE");
    expect(api.tables.apps.get(guid)).toBeUndefined();
  });
});

test("features of an app are told and not pretended", async () => {
  const guid = await newApp(api);
  expect(
    (await api.ask("GET", `/v3/apps/${guid}/features`)).body.resources.map((one: { name: string }) => one.name),
  ).toEqual(["ssh", "revisions"]);
  expect((await api.ask("GET", `/v3/apps/${guid}/features/ssh`)).body).toMatchObject({ name: "ssh", enabled: false });
  expect((await api.ask("PATCH", `/v3/apps/${guid}/features/ssh`, { body: { enabled: true } })).status).toBe(422);
  expect((await api.ask("PATCH", `/v3/apps/${guid}/features/ssh`, { body: { enabled: false } })).status).toBe(200);
  expect((await api.ask("GET", `/v3/apps/${guid}/features/telepathy`)).status).toBe(404);
});
