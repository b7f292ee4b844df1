import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Bus } from "../../../agent/bus/bus.ts";
import { type MemoryNet, memoryNet } from "../../../agent/bus/memory.ts";
import type { LogLines } from "../../../agent/bus/messages/component.ts";
import type { HmRequest } from "../../../agent/bus/messages/health.ts";
import type { HeartbeatEntry } from "../../../agent/bus/messages/instance.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { health } from "../../../agent/health/health.ts";
import { type Running, start } from "../../../agent/run/runner.ts";
import { memoryStore } from "../../../agent/store/memory.ts";
import type { Store } from "../../../agent/store/store.ts";
import { type BulkServer, bulkServer } from "../../support/bulkServer.ts";
import { desired, entry, exit, heartbeat } from "../../support/health.ts";
import { type RecordingLog, recordingLog } from "../../support/recordingLog.ts";
import { until } from "../../support/until.ts";

const beat = 100;
const beats = (count: number) => new Promise((resolve) => setTimeout(resolve, count * beat));

let net: MemoryNet;
let store: Store;
let server: BulkServer;
let bus: Bus;
let log: RecordingLog;
/** What the one DEA lists in its heartbeats; undefined: it is silent. */
let held: HeartbeatEntry[] | undefined;
let requests: HmRequest[];
let lines: LogLines[];
let helloes: number;
const running: Running[] = [];
let beating: NodeJS.Timeout;

beforeEach(async () => {
  net = memoryNet();
  store = memoryStore();
  server = await bulkServer();
  log = recordingLog();
  bus = net.join();
  [requests, lines, helloes, held] = [[], [], 0, []];
  bus.subscribe(subjects.hmRequests, (request) => requests.push(request));
  bus.subscribe(subjects.log, (some) => lines.push(some));
  bus.subscribe(subjects.bulkCredentials, (_nothing, message) =>
    message.reply({ user: server.user, password: server.password, url: server.url }),
  );
  const say = () => held && bus.publish(subjects.deaHeartbeat, heartbeat(held));
  bus.subscribe(subjects.healthmanagerStart, () => {
    helloes++;
    say();
  });
  beating = setInterval(say, beat);
});
afterEach(async () => {
  clearInterval(beating);
  await Promise.all(running.splice(0).map((one) => one.stop()));
  await server.close();
});

async function manager(index = 0) {
  const own = net.join();
  const one = start(health({ bus: own, store, log, index, address: "127.0.0.1", beat, random: () => 0.5 }));
  running.push(one);
  await one.ready;
  return { one, own };
}

/** A health manager that decides. */
async function deciding(index = 0) {
  const made = await manager(index);
  await until(() => log.lines.some((line) => line.includes("deciding")), { what: "everything was fresh" });
  await until(() => log.lines.some((line) => line.includes("leads now")), { what: "it led" });
  return made;
}

describe("one health manager", () => {
  test("asks for what is missing, in the canonical form, and only when everything is fresh", async () => {
    server.want(desired({ instances: 3, updatedAt: 1_335_898_800 }));
    held = [entry({ index: 1 })];
    await manager();
    expect(requests).toEqual([]);
    await until(() => requests.length > 0, { what: "it asked" });
    expect(requests).toEqual([
      { op: "START", droplet: "app", version: "v1", indices: [0, 2], last_updated: 1_335_898_800 },
    ]);
  });

  test("calls for heartbeats when it listens", async () => {
    await manager();
    expect(helloes).toBe(1);
  });

  test("answers a crash in the same moment, and tells the app's people", async () => {
    server.want(desired({ app: "guid-of-the-app" }));
    held = [entry()];
    await deciding();
    held = [];
    bus.publish(subjects.dropletExited, exit({ exit_description: "out of memory" }));
    await bus.flush();
    await until(() => lines.length > 0, { what: "the people were told" });
    expect(requests).toMatchObject([{ op: "START", indices: [0] }]);
    expect(lines[0]).toMatchObject({ app: "guid-of-the-app", source: "HEALTH", instance: "0" });
    expect(lines[0]?.lines[0]?.text).toBe("instance 0 crashed (out of memory), starting it again");
  });

  test("reads the desired state at once when it is told of a change", async () => {
    await deciding();
    await beats(2);
    const before = server.asked.length;
    bus.publish(subjects.dropletUpdated, { droplet: "app", cc_partition: "default" });
    await until(() => server.asked.length > before, { what: "it read" });
  });

  test("decides nothing while the controller cannot be read, and says so", async () => {
    server.mischief.push(...Array.from({ length: 200 }, () => 500));
    server.want(desired());
    await manager();
    await until(() => log.lines.some((line) => line.includes("cannot be read")), { what: "it said so" });
    await beats(8);
    expect(requests).toEqual([]);
    server.mischief.length = 0;
    await until(() => requests.length > 0, { what: "it asked after all" });
  });

  test("a bus that goes and comes back restarts nothing", async () => {
    server.want(desired());
    held = [entry()];
    const { own } = await deciding();
    const cable = own as ReturnType<MemoryNet["join"]>;
    cable.disconnect();
    await beats(10);
    cable.reconnect();
    await until(() => helloes === 2, { what: "it called for heartbeats again" });
    await beats(8);
    expect(requests).toEqual([]);
  });

  test("a DEA that falls silent beside another loses its instances", async () => {
    server.want(desired());
    held = [];
    const second = setInterval(() => bus.publish(subjects.deaHeartbeat, heartbeat([entry()], "dea-b")), beat);
    await deciding();
    await beats(3);
    expect(requests).toEqual([]);
    clearInterval(second);
    await until(() => requests.length > 0, { what: "it asked" });
    expect(requests[0]).toMatchObject({ op: "START", indices: [0] });
  });

  test("stops and starts again without a trace", async () => {
    const { one } = await deciding();
    await one.stop();
    const asked = server.asked.length;
    await beats(8);
    expect(server.asked.length).toBe(asked);
    server.want(desired());
    await manager();
    await until(() => requests.length > 0, { what: "the second life asked" });
  });
});

describe("questions", () => {
  const ask = { droplets: [{ droplet: "app", version: "v1" }] };

  test("are answered by the one that leads, and by it alone", async () => {
    server.want(desired({ instances: 2 }));
    held = [entry(), entry({ index: 1 })];
    await deciding(0);
    await manager(1);
    await beats(6);
    expect(await bus.gather(subjects.healthmanagerHealth, ask, { timeout: 2 * beat })).toEqual([
      { droplet: "app", version: "v1", healthy: 2 },
    ]);
    const flapping = { droplet: "app", version: "v1", state: "FLAPPING" };
    expect(await bus.gather(subjects.healthmanagerStatus, flapping, { timeout: 2 * beat })).toEqual([{ indices: [] }]);
  });

  test("are met with silence before it can know", async () => {
    held = undefined;
    await manager();
    await beats(5);
    expect(await bus.gather(subjects.healthmanagerHealth, ask, { timeout: 2 * beat })).toEqual([]);
  });
});

describe("two health managers", () => {
  test("ask once, and when the leader is gone the other takes over", async () => {
    server.want(desired());
    held = [entry()];
    const { one } = await deciding(0);
    await manager(1);
    await beats(5);
    held = [];
    bus.publish(subjects.dropletExited, exit());
    await until(() => requests.length > 0, { what: "the leader asked" });
    held = [entry({ instance: "second" })];
    await beats(2);
    expect(requests).toHaveLength(1);
    await one.stop();
    await until(() => log.lines.filter((line) => line.includes("leads now")).length === 2, { what: "the other led" });
    held = [];
    bus.publish(subjects.dropletExited, exit({ instance: "second" }));
    await until(() => requests.length > 1, { what: "the other asked" });
    expect(requests).toHaveLength(2);
  });
});

test("its varz tells what it knows, with -1 before it knows anything", async () => {
  held = undefined;
  server.want(desired({ instances: 2 }));
  await manager();
  const [hello] = await bus.gather(subjects.discover, {}, { timeout: 2000, expected: 1 });
  expect(hello?.type).toBe("HealthManager");
  const authorization = `Basic ${Buffer.from(hello?.credentials.join(":") ?? "").toString("base64")}`;
  const varz = async () =>
    (await (await fetch(`http://${hello?.host}/varz`, { headers: { authorization } })).json()) as Record<
      string,
      unknown
    >;
  expect(await varz()).toMatchObject({ running_instances: -1, missing_instances: -1, flapping_instances: -1 });
  held = [entry()];
  const known = async () => (await varz())["running_instances"] === 1;
  await until(known, { what: "it knew what runs" });
  expect(await varz()).toMatchObject({
    total_instances: 2,
    missing_instances: 1,
    leads: true,
    health_start_messages_sent: 1,
  });
});
