import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Dialed, dial } from "../../../../agent/bus/nats.ts";
import { silent } from "../../../../agent/run/log.ts";
import { jetstreamStore } from "../../../../agent/store/jetstream.ts";
import { objectBlobs } from "../../../../agent/store/objects.ts";
import {
  becomes,
  type Controller,
  fakeStager,
  insertBuild,
  pushed,
  settled,
  type TestCluster,
  testCluster,
} from "../../../support/engine.ts";
import { type NatsServer, natsServer } from "../../../support/nats.ts";
import { until } from "../../../support/until.ts";

// The same engine on a real server, store and object store: what the in-memory bus cannot show.

let server: NatsServer;
let dialed: Dialed[];
let cluster: TestCluster;
let controller: Controller;

beforeEach(async () => {
  server = await natsServer({ jetstream: true });
  const one = (name: string) => dial({ servers: server.url, name, user: name, log: silent });
  dialed = await Promise.all(Array.from({ length: 6 }, (_, n) => one(`part${n}`)));
  const free = dialed.map(({ bus }) => Object.assign(bus, { disconnect() {}, reconnect() {} }));
  const { connection } = await one("store");
  cluster = testCluster({
    join: () => free.pop() as (typeof free)[0],
    store: jetstreamStore(connection),
    blobs: Object.assign(objectBlobs(connection), { used: () => 0 }),
  });
  dialed.push({ connection, bus: free[0] as Dialed["bus"], close: () => connection.close() });
  controller = await cluster.controller();
});
afterEach(async () => {
  await cluster.close();
  for (const one of dialed) await one.close();
  await server.stop();
});

describe("on a real bus and store", () => {
  it("starts, counts and stops instances", async () => {
    const dea = cluster.dea();
    await settled();
    const { process, app } = await pushed(controller.tables, { process: { instances: 3 } });
    await controller.engine.converge(process);
    expect(dea.living(process.guid)).toHaveLength(3);
    expect((await controller.engine.instances(process)).map(({ state }) => state)).toEqual([
      "RUNNING",
      "RUNNING",
      "RUNNING",
    ]);
    await controller.tables.apps.update(app.guid, (one) => ({ ...one, state: "STOPPED" }));
    await controller.engine.converge(process);
    await until(() => dea.living(process.guid).length === 0, { what: "nothing runs" });
  });

  it("stages: bits out, droplet in, answer taken", async () => {
    fakeStager(cluster, async (request, self) => {
      expect(await (await fetch(request.download_uri)).text()).toBe("the bits");
      expect(await self.upload(request, "the droplet")).toBe(200);
      self.answer(request, { detected_start_command: "npm start" });
    });
    await settled();
    const { app } = await pushed(controller.tables);
    const { build, pkg } = await insertBuild({ tables: controller.tables, blobs: cluster.blobs }, app);
    await controller.engine.stage(build, pkg, app);
    await becomes(
      () => controller.tables.builds.get(build.guid),
      ({ state }) => state === "STAGED",
      "the build is staged",
    );
    const sha256 = controller.tables.droplets.all().find((one) => one.build === build.guid)?.sha256 ?? "";
    const bytes = await cluster.blobs.get(sha256);
    expect(bytes && (await text(bytes))).toBe("the droplet");
  });

  it("goes on after the server was killed and came back, and knows the DEAs again", async () => {
    const dea = cluster.dea();
    await settled();
    const { process } = await pushed(controller.tables);
    await controller.engine.converge(process);
    await server.kill();
    await until(() => !controller.bus.connected, { what: "the loss is seen" });
    await server.again();
    await until(() => dialed.every(({ bus }) => bus.connected), { what: "all are back" });
    await settled();
    const more = await controller.tables.processes.update(process.guid, (one) => ({ ...one, instances: 2 }));
    await controller.engine.converge(more);
    await until(() => dea.living(process.guid).length === 2, { what: "the second instance runs" });
    expect(dea.starts).toHaveLength(2);
  });
});
