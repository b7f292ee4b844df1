import { expect, test } from "vitest";
import { subjects } from "../../../agent/bus/subjects.ts";
import { beat, deaWorld, get, hello, shell, until } from "../../support/dea.ts";

const routerStart = (id: string, interval: number) => ({
  id,
  hosts: [],
  minimumRegisterIntervalInSeconds: interval,
  pruneThresholdInSeconds: 120,
});

test("an update registers the names that came and unregisters those that went, for what runs only", async () => {
  const world = await deaWorld();
  const instance = await world.launch(hello);
  await world.whenRunning(instance);
  const port = world.of("router.register")[0]?.["port"];
  const crashed = await world.launch(shell("exit 1"), { index: 1 });
  await world.exit(crashed);
  world.heard.length = 0;
  // The crashed one's farewell is said some more times.
  const farewells = () => world.of("router.unregister").filter((one) => one["port"] === port);
  const uris = ["hello.example.test", "www.example.test"];
  world.tool.publish(subjects.deaUpdate, { droplet: "app-1", uris, cc_partition: "default" });
  await until("a registration", () => world.of("router.register").length === 1);
  expect(world.of("router.register")).toMatchObject([{ uris: ["www.example.test"] }]);
  expect(farewells()).toEqual([]);
  world.tool.publish(subjects.deaUpdate, { droplet: "app-1", uris: ["www.example.test"], cc_partition: "default" });
  await until("a farewell", () => farewells().length > 0);
  expect(farewells()[0]).toMatchObject({ uris: ["hello.example.test"] });
  expect(await world.instance(instance)).toMatchObject({ version: "v1", state: "RUNNING" });
});

test("an app without names that wants to be checked has a port, and an update gives it a route", async () => {
  const world = await deaWorld();
  const instance = await world.launch(hello, { uris: [], health_check: { type: "port" } });
  await world.whenRunning(instance);
  expect(world.of("router.register")).toEqual([]);
  world.tool.publish(subjects.deaUpdate, { droplet: "app-1", uris: ["late.example.test"], cc_partition: "default" });
  const register = await until("a registration", () => world.of("router.register")[0]);
  expect(await get(Number(register["port"]))).toMatch(/\d/);
});

test("a start of the old kind without names has no port and runs at once", async () => {
  const world = await deaWorld();
  const instance = await world.launch(shell('echo "port: $PORT $*"; exec sleep 60'), { uris: [] });
  await world.whenRunning(instance);
  await until("its output", () => world.lines("APP/PROC/WEB").includes("port:  "));
});

test("a router that boots hears of everything at once, and the smallest wish of all routers is followed", async () => {
  const world = await deaWorld();
  await world.whenRunning(await world.launch(hello));
  world.heard.length = 0;
  world.tool.publish(subjects.routerStart, routerStart("r1", 2));
  world.tool.publish(subjects.routerStart, routerStart("r2", 20));
  await until("both answered", () => world.of("router.register").length >= 2);
});

test("routers are asked for their wish at the start, and registrations come that often", async () => {
  const world = await deaWorld();
  world.tool.subscribe(subjects.routerGreet, (_nothing, message) => message.reply(routerStart("r1", 2)));
  // The wish is heard on the next greeting, which a returning bus brings.
  world.bus.disconnect();
  world.bus.reconnect();
  await world.whenRunning(await world.launch(hello));
  world.tool.publish(subjects.routerStart, routerStart("r1", 2));
  await until("many registrations", () => world.of("router.register").length > 8);
});

test("a farewell is said again and again, but not for a name that the address serves again", async () => {
  const world = await deaWorld();
  const instance = await world.launch(hello, { uris: ["a.example.test", "b.example.test"] });
  await world.whenRunning(instance);
  const update = (uris: string[]) =>
    world.tool.publish(subjects.deaUpdate, { droplet: "app-1", uris, cc_partition: "default" });
  update([]);
  update(["a.example.test"]);
  await until("all farewells", () => world.of("router.unregister").length >= 4);
  const farewells = world.of("router.unregister").map((one) => one["uris"]);
  expect(farewells[0]).toEqual(["a.example.test", "b.example.test"]);
  expect(farewells.slice(1)).toEqual(farewells.slice(1).map(() => ["b.example.test"]));
});

test("an exit while the bus is away is told when it is back, after its farewell, and once", async () => {
  const world = await deaWorld();
  const instance = await world.launch(hello);
  await world.whenRunning(instance);
  const port = Number(world.last("router.register")?.["port"]);
  world.bus.disconnect();
  process.kill(Number(await get(port)), "SIGKILL");
  await expect.poll(() => get(port).catch(() => "gone")).toBe("gone");
  await new Promise((resolve) => setTimeout(resolve, 4 * beat));
  expect(world.of("droplet.exited")).toEqual([]);
  world.heard.length = 0;
  world.bus.reconnect();
  const exit = await world.exit(instance);
  expect(exit).toMatchObject({ reason: "CRASHED", exit_status: 137 });
  const order = world.heard.map((one) => one.subject);
  expect(order.indexOf("router.unregister")).toBeLessThan(order.indexOf("droplet.exited"));
  await until("a heartbeat and an advert", () =>
    ["dea.heartbeat", "dea.advertise"].every((name) => world.of(name).length > 1),
  );
  expect(world.of("droplet.exited")).toHaveLength(1);
});

test("instances go on while the bus is away and are registered when it is back", async () => {
  const world = await deaWorld();
  const instance = await world.launch(hello);
  await world.whenRunning(instance);
  const port = Number(world.last("router.register")?.["port"]);
  const pid = await get(port);
  world.bus.disconnect();
  world.heard.length = 0;
  world.bus.reconnect();
  await until("a registration", () => world.of("router.register").some((one) => one["port"] === port));
  expect(await get(port)).toBe(pid);
  expect(world.of("droplet.exited")).toEqual([]);
});

test("a port that has been used is not used again while others are there", async () => {
  const world = await deaWorld();
  const seen: unknown[] = [];
  for (const index of [0, 1, 2]) {
    const instance = await world.launch(hello, { index });
    await world.whenRunning(instance);
    seen.push(world.last("router.register")?.["port"]);
    world.tool.publish(subjects.deaStop, { droplet: "app-1" });
    await world.exit(instance);
  }
  expect(new Set(seen).size).toBe(3);
});

test("a port that a stranger sits on is passed over", async () => {
  const world = await deaWorld();
  const { createServer } = await import("node:http");
  const first = world.options.instancePorts?.first ?? 0;
  const stranger = createServer().listen(first);
  await until("it listens", () => stranger.listening);
  await world.whenRunning(await world.launch(hello));
  expect(world.last("router.register")?.["port"]).toBe(first + 1);
  stranger.close();
});
