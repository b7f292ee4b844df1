import { expect, onTestFinished, test } from "vitest";
import { dial } from "../../../agent/bus/nats.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { silent } from "../../../agent/run/log.ts";
import { deaOn, get, hello, until } from "../../support/dea.ts";
import { natsServer } from "../../support/nats.ts";

test("a real bus that is killed and comes back: apps answer meanwhile, nothing is started again, ends are told", async () => {
  const server = await natsServer();
  onTestFinished(() => server.stop());
  const join = (name: string) => dial({ servers: server.url, name, user: "dea", log: silent });
  const [one, other] = [await join("dea-0"), await join("test")];
  onTestFinished(async () => {
    await one.close();
    await other.close();
  });
  const world = await deaOn({ bus: one.bus, tool: other.bus });
  await other.bus.flush();
  const kept = await world.launch(hello);
  await world.whenRunning(kept);
  const lost = await world.launch(hello, { index: 1 });
  await world.whenRunning(lost);
  const portOf = (index: string) =>
    Number(world.of("router.register").find((each) => each["private_instance_index"] === index)?.["port"]);
  const pid = await get(portOf("0"));

  await server.kill();
  await until("the loss is noticed", () => !one.bus.connected);
  expect(await get(portOf("0"))).toBe(pid);
  process.kill(Number(await get(portOf("1"))), "SIGKILL");
  await expect.poll(() => get(portOf("1")).catch(() => "gone")).toBe("gone");
  await server.again();
  // The test's own connection may come back later than the DEA's and miss the first words: they are said again.
  await until("the farewell", () => world.of("router.unregister").some((each) => each["port"] === portOf("1")));
  await until("both are seen as they are", () => {
    const droplets = (world.last("dea.heartbeat")?.["droplets"] ?? []) as { instance: string; state: string }[];
    const state = (id: string) => droplets.find((each) => each.instance === id)?.state;
    return state(kept) === "RUNNING" && state(lost) === "CRASHED";
  });
  expect(await get(portOf("0"))).toBe(pid);
  world.tool.publish(subjects.deaStop, { droplet: "app-1" });
  await world.exit(kept);
});
