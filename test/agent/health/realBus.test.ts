import { afterEach, beforeEach, expect, test } from "vitest";
import type { HmRequest } from "../../../agent/bus/messages/health.ts";
import type { HeartbeatEntry } from "../../../agent/bus/messages/instance.ts";
import { type Dialed, dial } from "../../../agent/bus/nats.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { health } from "../../../agent/health/health.ts";
import { silent } from "../../../agent/run/log.ts";
import { type Running, start } from "../../../agent/run/runner.ts";
import { jetstreamStore } from "../../../agent/store/jetstream.ts";
import { type BulkServer, bulkServer } from "../../support/bulkServer.ts";
import { desired, entry, exit, heartbeat } from "../../support/health.ts";
import { type NatsServer, natsServer } from "../../support/nats.ts";
import { until } from "../../support/until.ts";

const beat = 200;
let nats: NatsServer;
let server: BulkServer;
let dea: Dialed;
let held: HeartbeatEntry[] = [];
const requests: HmRequest[] = [];
const open: { close(): Promise<unknown> }[] = [];
const running: Running[] = [];

const join = async (user: string) => {
  const dialed = await dial({ servers: nats.url, name: user, user, password: "x", log: silent });
  open.push(dialed);
  return dialed;
};

beforeEach(async () => {
  const users = ["health", "dea", "controller"].map((user) => `{ user: ${user}, password: x }`);
  nats = await natsServer({ jetstream: true, config: `authorization { users: [${users}] }` });
  server = await bulkServer();
  dea = await join("dea");
  const controller = await join("controller");
  controller.bus.subscribe(subjects.hmRequests, (request) => requests.push(request));
  controller.bus.subscribe(subjects.bulkCredentials, (_nothing, message) =>
    message.reply({ ...server, url: server.url }),
  );
  const say = () => dea.bus.publish(subjects.deaHeartbeat, heartbeat(held));
  dea.bus.subscribe(subjects.healthmanagerStart, say);
  const beating = setInterval(say, beat);
  open.push({ close: async () => clearInterval(beating) });
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  for (const one of open.splice(0).reverse()) await one.close();
  await server.close();
  await nats.stop();
});

test("a nats-server that is killed and comes back restarts nothing, and what crashes after that starts again", async () => {
  held = [entry(), entry({ index: 1 })];
  server.want(desired({ instances: 2 }));
  const { bus, connection } = await join("health");
  const one = health({ bus, store: jetstreamStore(connection), log: silent, index: 0, address: "127.0.0.1", beat });
  running.push(start(one));
  await running[0]?.ready;
  await until(async () => (await asked()) === 2, { what: "the health manager knew both instances" });
  await nats.kill();
  await new Promise((resolve) => setTimeout(resolve, 10 * beat));
  await nats.again();
  await until(async () => (await asked()) === 2, { what: "it answered again" });
  expect(requests).toEqual([]);
  held = [entry({ index: 1 })];
  dea.bus.publish(subjects.dropletExited, exit());
  await until(() => requests.length > 0, { what: "it asked for a start" });
  expect(requests).toMatchObject([{ op: "START", droplet: "app", indices: [0] }]);

  async function asked(): Promise<number | undefined> {
    const question = { droplets: [{ droplet: "app", version: "v1" }] };
    const [controller] = open.slice(1, 2) as Dialed[];
    return (await controller?.bus.request(subjects.healthmanagerHealth, question, { timeout: 2 * beat }))?.healthy;
  }
});
