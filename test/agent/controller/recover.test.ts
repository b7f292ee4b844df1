import { afterEach, describe, expect, test } from "vitest";
import { recover } from "../../../agent/controller/recover.ts";
import { tidy } from "../../../agent/controller/tidy.ts";
import { memoryStore } from "../../../agent/store/memory.ts";
import {
  newApp,
  newDroplet,
  newPackage,
  startedApp,
  type TestApi,
  type TestApiOptions,
  testApi,
} from "../../support/controller.ts";

const open: TestApi[] = [];
const make = async (options: TestApiOptions = {}) => {
  const api = await testApi(options);
  open.push(api);
  return api;
};
afterEach(async () => {
  for (const api of open.splice(0)) await api.close();
});

const beat = 1000;
const job = (api: TestApi, more: object) => {
  const at = new Date().toISOString();
  const base = { guid: crypto.randomUUID(), created_at: at, updated_at: at, state: "PROCESSING" as const, errors: [] };
  return api.tables.jobs.insert({ ...base, operation: "app.delete", kind: "app", controller: api.api.id, ...more });
};

describe("a controller that starts after one that ended in the middle", () => {
  test("fails its own uploads that were under way, and leaves those of others alone", async () => {
    const store = memoryStore();
    const [one, other] = [await make({ store }), await make({ store })];
    const app = await newApp(one);
    const [mine, theirs] = [await newPackage(one, app), await newPackage(one, app)];
    const uploading = (guid: string, controller: string) =>
      one.tables.packages.update(guid, (old) => ({ ...old, state: "PROCESSING_UPLOAD", controller }));
    await uploading(mine, one.api.id);
    await uploading(theirs, other.api.id);
    await recover(one.api, { beat, own: true });
    expect(one.tables.packages.get(mine)).toMatchObject({ state: "FAILED", error: "The upload broke off: push again" });
    expect(one.tables.packages.get(theirs)?.state).toBe("PROCESSING_UPLOAD");
    await recover(one.api, { beat: -1, own: false });
    expect(one.tables.packages.get(theirs)?.state).toBe("FAILED");
  });

  test("finishes deletions at whatever point they broke off", async () => {
    const api = await make();
    const guid = await startedApp(api);
    await newDroplet(api, guid);
    await api.tables.processes.delete(guid);
    const { guid: left } = await job(api, { resource: guid });
    await recover(api.api, { beat, own: true });
    expect(api.tables.jobs.get(left)?.state).toBe("COMPLETE");
    expect(api.tables.apps.get(guid)).toBeUndefined();
    expect(api.tables.droplets.all()).toEqual([]);
  });

  test("finishes a deletion whose app is gone already", async () => {
    const api = await make();
    const { guid } = await job(api, { resource: "gone" });
    await recover(api.api, { beat, own: true });
    expect(api.tables.jobs.get(guid)?.state).toBe("COMPLETE");
  });

  test("fails other jobs and says why, so that nobody waits for them for ever", async () => {
    const api = await make();
    const { guid } = await job(api, { operation: "space.apply_manifest", kind: "space", resource: "x" });
    await recover(api.api, { beat, own: true });
    expect(api.tables.jobs.get(guid)).toMatchObject({
      state: "FAILED",
      errors: [{ detail: expect.stringMatching(/has ended; ask for it again/) }],
    });
  });

  test("does not touch what it is working on itself now", async () => {
    const api = await make();
    const { guid } = await job(api, { resource: "x" });
    await recover(api.api, { beat: -1, own: false });
    expect(api.tables.jobs.get(guid)?.state).toBe("PROCESSING");
  });

  test("leaves a job that another controller took first", async () => {
    const store = memoryStore();
    const [one, other] = [await make({ store }), await make({ store })];
    const guid = await startedApp(one);
    const { guid: left } = await job(one, { resource: guid, controller: "gone" });
    await Promise.all([one, other].map(({ api }) => recover(api, { beat: -1, own: true })));
    expect(one.tables.jobs.get(left)?.state).toBe("COMPLETE");
    expect(one.log.concat(other.log).filter((line) => line.includes("is taken up"))).toHaveLength(1);
  });
});

describe("the past", () => {
  const day = 24 * 3600 * 1000;

  test("of crashes is forgotten like everything else, and an app that crashes all day does not fill the store", async () => {
    const api = await make();
    const app = await startedApp(api);
    const crash = (at: number) => {
      const stamp = new Date(at).toISOString();
      const [actor, target] = [
        { guid: app, type: "process", name: "web" },
        { guid: app, type: "app", name: "a" },
      ];
      const dates = { created_at: stamp, updated_at: stamp };
      return api.tables.events.insert({
        guid: crypto.randomUUID(),
        ...dates,
        type: "app.crash",
        actor,
        target,
        data: {},
      });
    };
    const crashes = () => api.tables.events.all().filter(({ type }) => type === "app.crash");
    const now = Date.now();
    const young = await crash(now);
    await crash(now - 32 * day);
    await tidy(api.tables, now);
    expect(crashes().map(({ guid }) => guid)).toEqual([young.guid]);
    for (let count = 0; count < 20_050; count++) await crash(now - day + count);
    await tidy(api.tables, now);
    expect([api.tables.events.all().length, crashes()[0]?.guid]).toEqual([20_000, expect.anything()]);
    expect(api.tables.events.all().map(({ guid }) => guid)).toContain(young.guid);
  });

  test("is forgotten when it is old, what counts stays", async () => {
    const api = await make();
    const app = await startedApp(api);
    const pkg = await newPackage(api, app);
    await api.tables.packages.update(pkg, (old) => ({ ...old, state: "FAILED" }));
    await job(api, { state: "COMPLETE" });
    const running = await job(api, {});
    await tidy(api.tables, Date.now() + 2 * day);
    expect(api.tables.jobs.all().map(({ guid }) => guid)).toEqual([running.guid]);
    expect(api.tables.events.all().length).toBeGreaterThan(0);
    await tidy(api.tables, Date.now() + 32 * day);
    expect([api.tables.events.all(), api.tables.packages.all()]).toEqual([[], []]);
    expect(api.tables.droplets.all()).toHaveLength(1);
    expect(api.tables.apps.all()).toHaveLength(1);
  });
});
