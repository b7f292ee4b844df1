import { expect, test } from "vitest";
import { subjects } from "../../../agent/bus/subjects.ts";
import { deaWorld, get, hello, until } from "../../support/dea.ts";

test("a start is answered at once, and the instance is in the heartbeat before the routers hear of it", async () => {
  const world = await deaWorld();
  const instance = await world.launch(hello);
  const register = await until("a registration", () => world.of("router.register")[0]);
  const order = world.heard.map(({ subject, payload }) => {
    const [entry] = (payload["droplets"] ?? []) as { state: string }[];
    return entry ? `${subject} ${entry.state}` : subject;
  });
  expect(order.indexOf("dea.heartbeat RUNNING")).toBeLessThan(order.indexOf("router.register"));
  expect(order).toContain("dea.heartbeat STARTING");
  expect(register).toEqual({
    host: "127.0.0.1",
    port: expect.any(Number),
    uris: ["hello.example.test"],
    app: "app-1",
    dea: world.id,
    tags: { component: "dea-0", process_id: "app-1", process_type: "web" },
    private_instance_id: expect.stringMatching(/^[0-9a-f]{64}$/),
    private_instance_index: "0",
    stale_threshold_in_seconds: 120,
  });
  expect(await get(register["port"] as number)).toMatch(/^\d+$/);
  expect(instance).toMatch(/^[0-9a-f]{32}$/);
});

test("a stop leaves the routers first, then tells the exit, then the room that is free", async () => {
  const world = await deaWorld();
  const instance = await world.launch(hello);
  await world.whenRunning(instance);
  world.heard.length = 0;
  world.tool.publish(subjects.deaStop, { droplet: "app-1" });
  const exit = await world.exit(instance);
  expect(exit).toMatchObject({ reason: "STOPPED", version: "v1", index: 0, cc_partition: "default" });
  expect(exit).not.toHaveProperty("crash_timestamp");
  await until("an advert", () => world.of("dea.advertise").some((one) => one["available_memory"] === 2048));
  const order = world.heard.map((one) => one.subject);
  expect(order.indexOf("router.unregister")).toBeLessThan(order.indexOf("droplet.exited"));
  expect(order.indexOf("droplet.exited")).toBeLessThan(order.lastIndexOf("dea.advertise"));
  expect(await world.found()).toEqual([]);
});

test("controllers hear of an instance that runs after the routers have been told, and people when its droplet was in place", async () => {
  const world = await deaWorld();
  world.heard.length = 0;
  const instance = await world.launch(hello);
  await world.whenRunning(instance);
  const advert = () => world.heard.findLastIndex((one) => one.subject === "dea.advertise");
  const register = () => world.heard.findIndex((one) => one.subject === "router.register");
  await until("an advert after the registration", () => register() >= 0 && advert() > register());
  const said = () => world.lines("CELL");
  await until("the last line", () => said().some((text) => /^Instance 0 is running/.test(text)));
  expect(said().map((text) => text.replace(/[\d.]+ s\b.*/, "N s"))).toEqual([
    "Starting instance 0",
    "Droplet deployed in N s",
    "Instance 0 is running after N s",
  ]);
});
