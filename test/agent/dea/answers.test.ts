import { expect, test } from "vitest";
import { at } from "../../../agent/bus/subject.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { deaWorld, get, hello, shell, startMessage, until } from "../../support/dea.ts";

const nowhere = { uri: "http://127.0.0.1:1/none", sha1: "c".repeat(40) };
const sleeper = shell("exec sleep 60");
const worker = { uris: [], health_check: { type: "process" } };
const limits = (mem: number, disk = 64) => ({ limits: { mem, disk, fds: 256 } });

test("each reason to refuse a start is told", async () => {
  const capacity = { memory: 512, disk: 1024, instances: 2 };
  const world = await deaWorld({ capacity, runtimes: ["node"], stacks: ["tutti1"] });
  const refused = async (more: object) => (await world.send({ ...startMessage(nowhere, limits(64)), ...more }))?.reason;
  expect(await refused(limits(1024))).toBe("no_memory");
  expect(await refused(limits(64, 4096))).toBe("no_disk");
  expect(await refused({ runtime: "cobol" })).toBe("unsupported_runtime");
  expect(await refused({ stack: "lucid64" })).toBe("unsupported_runtime");
  expect(await refused({ sha1: "no" })).toBe("bad_message");
  expect(await refused({ executableUri: "/etc/passwd" })).toBe("bad_message");
  expect(await refused({ droplet: "a/../b" })).toBe("bad_message");
  expect(await refused({ env: ["A=\0"] })).toBe("bad_message");
  expect(await refused(limits(-5))).toBe("bad_message");
  await world.launch(sleeper, { ...worker, ...limits(64) });
  await world.launch(sleeper, { ...worker, ...limits(64), index: 1 });
  expect(await refused({})).toBe("no_clients");
});

test("a full file system and a DEA that leaves refuse", async () => {
  const full = await deaWorld({ diskThreshold: 0 });
  expect(await full.send(startMessage(nowhere))).toEqual({ ok: false, reason: "fs_full" });
  const world = await deaWorld();
  const leaving = world.part.evacuate();
  expect(await world.send(startMessage(nowhere))).toEqual({ ok: false, reason: "shutting_down" });
  expect(world.of("dea.shutdown")).toMatchObject([{ id: world.id }]);
  const status = await world.tool.request(subjects.deaStatus, {}, { timeout: 1000 });
  expect(status).toMatchObject({ state: "SHUTTING_DOWN", max_memory: 2048 });
  await leaving;
});

test("a start that is no start at all is answered, and the next one works", async () => {
  const world = await deaWorld();
  expect(await world.send({ droplet: "app-1" })).toEqual({ ok: false, reason: "bad_message" });
  expect(await world.send({ droplet: "app-1", index: "first" })).toEqual({ ok: false, reason: "bad_message" });
  await world.whenRunning(await world.launch(hello));
});

test("room is taken before the download and given back once", async () => {
  const world = await deaWorld({ capacity: { memory: 300, disk: 4096, instances: 10 } });
  const instance = await world.launch(sleeper, { ...worker, ...limits(256) });
  expect((await world.send(startMessage(nowhere, limits(256))))?.reason).toBe("no_memory");
  world.tool.publish(subjects.deaStop, { droplet: "app-1" });
  world.tool.publish(subjects.deaStop, { droplet: "app-1" });
  await world.exit(instance);
  expect(world.last("dea.advertise")).toMatchObject({ available_memory: 300 });
  expect(world.of("droplet.exited")).toHaveLength(1);
});

test("a start that was only sent and is refused shows as a crash with the reason", async () => {
  const world = await deaWorld();
  const start = startMessage(nowhere, limits(9999));
  world.tool.publish(at(subjects.deaUuidStart, { uuid: world.id }), start);
  const exit = await until("a crash", () => world.of("droplet.exited")[0]);
  expect(exit).toMatchObject({ reason: "CRASHED", exit_description: "not enough memory is free on this DEA" });
  await until("its record gone", async () => (await world.found()).length === 0);
});

test("a stop while the droplet is on its way ends the start", async () => {
  const world = await deaWorld();
  const instance = await world.launch(hello);
  world.tool.publish(subjects.deaStop, { droplet: "app-1" });
  expect(await world.exit(instance)).toMatchObject({ reason: "STOPPED" });
  expect(world.of("router.register")).toEqual([]);
  await until("no record", async () => (await world.found()).length === 0);
});

test("parallel starts of one droplet share one download", async () => {
  const world = await deaWorld();
  await Promise.all([0, 1, 2].map((index) => world.launch(sleeper, { ...worker, index })));
  await until(
    "three running",
    async () => (await world.found({ droplet: "app-1", states: ["RUNNING"] }, 3)).length === 3,
  );
  expect(world.blobs.asked).toHaveLength(1);
});

test("discovery is answered by who has room: at once to those who gather, later the fuller it is to others", async () => {
  const world = await deaWorld({ zone: "z1" });
  const ask = (mem: number, gather: boolean) =>
    world.tool.gather(
      subjects.deaDiscover,
      { droplet: "app-1", name: "hello", limits: { mem, disk: 64, fds: 1 }, runtime: "", prod: false, sha: "", gather },
      { timeout: 400, expected: 1 },
    );
  expect(await ask(64, true)).toMatchObject([
    { id: world.id, available_memory: 2048, max_memory: 2048, placement_properties: { zone: "z1" } },
  ]);
  expect(await ask(64, false)).toHaveLength(1);
  expect(await ask(4096, true)).toEqual([]);
});

test("locate, status, droplet.status and a new health manager get their answers", async () => {
  const world = await deaWorld();
  const instance = await world.launch(hello);
  await world.whenRunning(instance);
  const adverts = world.of("dea.advertise").length;
  world.tool.publish(subjects.deaLocate, {});
  await until("an advert", () => world.of("dea.advertise").length > adverts);
  expect(world.last("dea.advertise")).toMatchObject({
    id: world.id,
    available_memory: 1792,
    available_disk: 4096 - 512,
    app_id_to_count: { "app-1": 1 },
    prod: false,
    ack: 1,
  });
  expect(await world.tool.request(subjects.deaStatus, {}, { timeout: 1000 })).toMatchObject({
    id: world.id,
    ip: "127.0.0.1",
    version: "0.99",
    reserved_memory: 256,
    num_clients: 1,
  });
  const [stats] = await world.tool.gather(subjects.dropletStatus, {}, { timeout: 1000, expected: 1 });
  expect(stats).toMatchObject({ name: "hello", uris: ["hello.example.test"], mem_quota: 256 * 2 ** 20 });
  world.heard.length = 0;
  world.tool.publish(subjects.healthmanagerStart, {});
  await until("a heartbeat", () => world.of("dea.heartbeat").length > 0);
});

test("find tells where an instance is and what it uses", async () => {
  const world = await deaWorld();
  const instance = await world.launch(hello);
  await world.whenRunning(instance);
  const filter = { droplet: "app-1", include_stats: true, states: ["RUNNING"] };
  const one = await until("a sample", async () => {
    const [found] = await world.found(filter);
    return found?.stats?.usage && found;
  });
  expect(one).toMatchObject({ dea: world.id, instance, index: 0, state: "RUNNING", staged: `hello-0-${instance}` });
  expect(one.stats?.usage?.mem_bytes).toBeGreaterThan(10 * 2 ** 20);
  expect(one.stats?.usage?.mem).toBe(Math.round((one.stats?.usage?.mem_bytes ?? 0) / 1024));
  expect(one.stats?.usage?.time).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000$/);
  expect(await world.found({ droplet: "app-1", instance_ids: [] })).toEqual([]);
  expect(await world.found({ droplet: "app-1", indices: [1] })).toEqual([]);
  expect(await world.found({ droplet: "app-2" })).toEqual([]);
});

test("an empty heartbeat is a heartbeat", async () => {
  const world = await deaWorld();
  await until("three", () => world.of("dea.heartbeat").length >= 3);
  expect(world.last("dea.heartbeat")).toEqual({ dea: world.id, prod: false, droplets: [] });
});

test("names that lead elsewhere stay inside", async () => {
  const world = await deaWorld();
  const instance = await world.launch(hello, { name: "../../etc/x y" });
  const one = await world.whenRunning(instance);
  expect(one.staged).toBe(`_etc_x_y-0-${instance}`);
  expect(await get(world.last("router.register")?.["port"] as number)).toMatch(/\d/);
});

test("an evacuated DEA tells the ends at once and serves on until others have taken over", async () => {
  const world = await deaWorld();
  const instance = await world.launch(hello);
  await world.whenRunning(instance);
  const port = Number(world.last("router.register")?.["port"]);
  const done = world.part.evacuate();
  expect(await world.exit(instance)).toMatchObject({ reason: "DEA_EVACUATION" });
  expect(await get(port)).toMatch(/\d/);
  await done;
  await expect(get(port)).rejects.toThrow();
  expect(world.of("droplet.exited")).toHaveLength(1);
  expect(world.of("router.unregister")[0]).toMatchObject({ port });
});
