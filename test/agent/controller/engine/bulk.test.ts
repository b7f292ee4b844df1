import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { at } from "../../../../agent/bus/subject.ts";
import { subjects } from "../../../../agent/bus/subjects.ts";
import { type Controller, pushed, type TestCluster, testCluster } from "../../../support/engine.ts";

let cluster: TestCluster;
let controller: Controller;
beforeEach(async () => {
  cluster = testCluster();
  controller = await cluster.controller();
});
afterEach(() => cluster.close());

interface Page {
  results: Record<string, Record<string, unknown>>;
  bulk_token: { id?: string };
}
const get = (path: string, password = "bulk secret") =>
  fetch(`${controller.url}${path}`, {
    headers: { authorization: `Basic ${Buffer.from(`bulk_api:${password}`).toString("base64")}` },
  });
const page = async (token: object, size: number) =>
  (await (
    await get(`/bulk/apps?batch_size=${size}&bulk_token=${encodeURIComponent(JSON.stringify(token))}`)
  ).json()) as Page;

describe("the bulk interface", () => {
  it("is found over the bus, by both generations of health managers", async () => {
    const expected = { user: "bulk_api", password: "bulk secret", url: controller.url };
    expect(await cluster.tool.request(subjects.bulkCredentials, {}, { timeout: 1000 })).toEqual(expected);
    const later = at(subjects.bulkCredentialsPartition, { partition: "default" });
    expect(await cluster.tool.request(later, {}, { timeout: 1000 })).toEqual(expected);
  });

  it("refuses who does not know the password", async () => {
    expect((await get("/bulk/apps", "wrong")).status).toBe(401);
    expect((await fetch(`${controller.url}/bulk/counts`)).status).toBe(401);
  });

  it("gives pages in a fixed order up to an empty one", async () => {
    for (let n = 0; n < 5; n++) await pushed(controller.tables);
    const seen: string[] = [];
    let last = await page({}, 2);
    const sizes = [];
    for (; Object.keys(last.results).length > 0; last = await page(last.bulk_token, 2)) {
      sizes.push(Object.keys(last.results).length);
      seen.push(...Object.keys(last.results));
    }
    expect(sizes).toEqual([2, 2, 1]);
    expect(last).toEqual({ results: {}, bulk_token: {} });
    expect(seen).toEqual(
      controller.tables.processes
        .all()
        .map(({ guid }) => guid)
        .sort(),
    );
  });

  it("tells of each process what a health manager compares", async () => {
    const { process, app } = await pushed(controller.tables, { process: { instances: 3 } });
    const unstaged = await pushed(controller.tables, { app: { droplet: undefined, state: "STOPPED" } });
    const { results } = await page({}, 10);
    expect(results[process.guid]).toMatchObject({
      ...{ id: process.guid, name: app.name, instances: 3, state: "STARTED", memory: 128, package_state: "STAGED" },
      ...{ version: process.version, updated_at: process.updated_at },
    });
    expect(results[unstaged.process.guid]).toMatchObject({ state: "STOPPED", package_state: "PENDING" });
  });

  it.each(["not json", "[1]", '{"id":7}', '"x"'])("says 400 to the token %s", async (token) => {
    expect((await get(`/bulk/apps?bulk_token=${encodeURIComponent(token)}`)).status).toBe(400);
  });

  it("begins at the beginning with the last token of a later controller", async () => {
    expect((await get(`/bulk/apps?bulk_token=${encodeURIComponent('{"id":null}')}`)).status).toBe(200);
  });

  it("counts apps and users, and nothing else", async () => {
    await pushed(controller.tables);
    expect(await (await get("/bulk/counts?model=app")).json()).toEqual({ counts: { app: 1 } });
    expect(await (await get("/bulk/counts?model=user")).json()).toEqual({ counts: { user: 0 } });
    expect(await (await get("/bulk/counts?model=secrets")).json()).toEqual({ counts: {} });
  });
});
