import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Bus } from "../../../agent/bus/bus.ts";
import { memoryNet } from "../../../agent/bus/memory.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { BulkFailed, bulk } from "../../../agent/health/bulk.ts";
import { type BulkServer, bulkServer } from "../../support/bulkServer.ts";
import { desired } from "../../support/health.ts";

const never = new AbortController().signal;
let server: BulkServer;
let bus: Bus;
let credentialsAsked = 0;
/** What the controller tells; undefined: it does not answer. */
let told: { user: string; password: string; url?: string } | undefined;

beforeEach(async () => {
  server = await bulkServer();
  const net = memoryNet();
  bus = net.join();
  told = { user: server.user, password: "right", url: server.url };
  credentialsAsked = 0;
  net.join().subscribe(subjects.bulkCredentials, (_nothing, message) => {
    credentialsAsked++;
    if (told) message.reply(told);
  });
});
afterEach(() => server.close());

const rows = (count: number) => {
  for (let i = 0; i < count; i++) server.want(desired({ droplet: `app${String(i).padStart(4, "0")}`, memory: i }));
};

describe("a complete reading", () => {
  test("takes page after page until an empty one", async () => {
    rows(25);
    const run = await bulk({ bus, beat: 100, pageSize: 10 }).read(never);
    expect(run.apps).toHaveLength(25);
    expect(run.apps[7]).toEqual(desired({ droplet: "app0007", memory: 7 }));
    expect(server.asked).toHaveLength(4);
  });

  test("of nothing is nothing", async () => {
    expect(await bulk({ bus, beat: 100 }).read(never)).toEqual({ apps: [], unreadable: [] });
  });

  test("asks for name and password once", async () => {
    const one = bulk({ bus, beat: 100 });
    await one.read(never);
    await one.read(never);
    expect(credentialsAsked).toBe(1);
  });

  test("tells of rows that make no sense instead of leaving them out: they are there", async () => {
    server.want(desired());
    server.rows.set("odd", { instances: "many" });
    server.rows.set("timeless", {
      instances: 1,
      state: "STARTED",
      version: "v",
      package_state: "STAGED",
      updated_at: "?",
    });
    const run = await bulk({ bus, beat: 100 }).read(never);
    expect(run.apps.map(({ droplet }) => droplet)).toEqual(["app"]);
    expect(run.unreadable).toEqual(["odd", "timeless"]);
  });

  test("takes absent and null for the same, numbers for versions, and the process for the app", async () => {
    const row = {
      instances: 2,
      state: "STOPPED",
      version: 7,
      package_state: "FAILED",
      updated_at: "2012-05-01T19:00:00Z",
    };
    server.rows.set("old", { ...row, memory: null, app_guid: null });
    const [one] = (await bulk({ bus, beat: 100 }).read(never)).apps;
    expect(one).toMatchObject({ app: "old", version: "7", staged: false, updatedAt: 1335898800, memory: 0 });
  });
});

describe("a reading that fails", () => {
  test.each<[situation: string, trick: number | "hang" | "cut" | string]>([
    ["an error of the controller", 500],
    ["a connection that is cut", "cut"],
    ["an answer that never comes", "hang"],
    ["something that is not JSON", "<html>"],
    ["JSON that is no page", "[1,2]"],
  ])("%s in the middle makes no desired state at all", async (_situation, trick) => {
    rows(25);
    const one = bulk({ bus, beat: 20, pageSize: 10 });
    await one.read(never);
    server.mischief.push('{"results":{"x":{}},"bulk_token":{"id":"a"}}', trick);
    await expect(one.read(never)).rejects.toBeInstanceOf(BulkFailed);
    expect((await one.read(never)).apps).toHaveLength(25);
  });

  test("no controller answers", async () => {
    told = undefined;
    await expect(bulk({ bus, beat: 10 }).read(never)).rejects.toThrow("no controller tells the password");
  });

  test("a controller that does not say where, and no setting that does", async () => {
    told = { user: "bulk_api", password: "right" };
    await expect(bulk({ bus, beat: 10 }).read(never)).rejects.toThrow("does not say where");
    expect(await bulk({ bus, beat: 10, url: `${server.url}/` }).read(never)).toEqual({ apps: [], unreadable: [] });
  });

  test("a password that has changed is asked for again at the next reading", async () => {
    const one = bulk({ bus, beat: 100 });
    await one.read(never);
    server.password = "new";
    await expect(one.read(never)).rejects.toThrow("refuses our password");
    told = { user: server.user, password: "new", url: server.url };
    await one.read(never);
    expect(credentialsAsked).toBe(2);
  });

  test("after three failures the controller is looked for anew: it may have moved", async () => {
    const one = bulk({ bus, beat: 100 });
    await one.read(never);
    server.mischief.push(500, 500, 500);
    for (let i = 0; i < 3; i++) await expect(one.read(never)).rejects.toThrow("answers 500");
    await one.read(never);
    expect(credentialsAsked).toBe(2);
  });

  test("a controller that gives the same page for ever", async () => {
    const same = '{"results":{"x":{}},"bulk_token":{"id":"x"}}';
    server.mischief.push(same, same, same);
    await expect(bulk({ bus, beat: 100 }).read(never)).rejects.toThrow("same page again");
  });

  test("a reading that is broken off ends at once", async () => {
    server.mischief.push("hang");
    const stop = new AbortController();
    const reading = bulk({ bus, beat: 10_000 }).read(stop.signal);
    setTimeout(() => stop.abort(), 30);
    await expect(reading).rejects.toBeInstanceOf(BulkFailed);
  });

  test("the password is in no message of a failure", async () => {
    told = { user: "bulk_api", password: "s3cret", url: "http://127.0.0.1:1" };
    const failure = await bulk({ bus, beat: 100 })
      .read(never)
      .catch((error: unknown) => error);
    expect(String(failure)).toContain("could not be read");
    expect(JSON.stringify([String(failure), failure])).not.toContain("s3cret");
  });
});
