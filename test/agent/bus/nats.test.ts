import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Dialed, dial } from "../../../agent/bus/nats.ts";
import { newSeed, publicKeyOf } from "../../../agent/bus/nkeys.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { freePort, type NatsServer, natsServer } from "../../support/nats.ts";
import { recordingLog } from "../../support/recordingLog.ts";
import { until } from "../../support/until.ts";
import { busContract } from "./bus.contract.ts";

let server: NatsServer;
const dialed: Dialed[] = [];
beforeAll(async () => {
  server = await natsServer();
});
afterAll(() => server.stop());
afterEach(async () => {
  for (const one of dialed.splice(0)) await one.close();
});

async function join(log = recordingLog(), more: Partial<Parameters<typeof dial>[0]> = {}) {
  const one = await dial({ servers: server.url, name: "test-0", user: "controller", log, ...more });
  dialed.push(one);
  return one;
}

busContract("a real nats-server", async () => {
  const log = recordingLog();
  return {
    join: async () => (await join(log)).bus,
    problems: () => log.lines.filter((line) => /^(warn|error)/.test(line)),
    close: async () => {
      for (const one of dialed.splice(0)) await one.close();
    },
  };
});

const updated = (droplet: string) => ({ droplet, cc_partition: "default" });

describe("a member of a real bus", () => {
  test("drops text that is not JSON, and listens on", async () => {
    const log = recordingLog();
    const { bus, connection } = await join(log);
    const heard: string[] = [];
    bus.subscribe(subjects.dropletUpdated, ({ droplet }) => heard.push(droplet));
    for (const junk of ["{", "\u0000", '"', "[[["]) connection.publish("droplet.updated", junk);
    connection.publish("droplet.updated", new Uint8Array([0xff, 0xfe, 0x7b]));
    bus.publish(subjects.dropletUpdated, updated("a"));
    await until(() => heard.length === 1, { what: "the good message was heard" });
    expect(log.lines.filter((line) => line.includes('"subject":"droplet.updated"'))).toHaveLength(5);
  });

  test("accepts a trigger without any payload", async () => {
    const { bus, connection } = await join();
    const heard: object[] = [];
    bus.subscribe(subjects.deaLocate, (payload) => heard.push(payload));
    connection.publish("dea.locate");
    await until(() => heard.length === 1, { what: "it was heard" });
  });

  test("refuses a message that is larger than the server takes, and stays connected", async () => {
    const { bus } = await join();
    const lines = [{ at: 0, text: "x".repeat(1_100_000) }];
    expect(() => bus.publish(subjects.log, { app: "a", source: "API", instance: "", lines })).toThrow(/max_payload/);
    await bus.flush();
    expect(bus.connected).toBe(true);
  });

  test("tells of handlers that pile up", async () => {
    const log = recordingLog();
    const { bus } = await join(log);
    const { promise, resolve } = Promise.withResolvers<void>();
    bus.subscribe(subjects.dropletUpdated, () => promise);
    for (let i = 0; i < 1200; i++) bus.publish(subjects.dropletUpdated, updated("a"));
    await until(() => log.lines.some((line) => line.includes("slow consumer")), { what: "the warning" });
    resolve();
  });

  test("hears answers only under the inbox of its user", async () => {
    const { bus } = await join();
    const inboxes: string[] = [];
    (await join()).connection.subscribe("dea.status", {
      callback: (_error, msg) => void inboxes.push(msg.reply ?? ""),
    });
    await dialed.at(-1)?.bus.flush();
    await bus.gather(subjects.deaStatus, {}, { timeout: 50 });
    expect(inboxes).toEqual([expect.stringMatching(/^_INBOX_controller\./)]);
  });
});

describe("a bus that goes away", () => {
  test("is waited for at the beginning, until it is there", async () => {
    const port = await freePort();
    const log = recordingLog();
    const pending = join(log, { servers: `nats://127.0.0.1:${port}` });
    await until(() => log.lines.length > 0, { what: "the first attempt failed" });
    const late = await natsServer({ port });
    const { bus, close } = await pending;
    expect(bus.connected).toBe(true);
    await close();
    await late.stop();
  });

  test("is no longer waited for when the signal is aborted", async () => {
    const controller = new AbortController();
    const pending = join(recordingLog(), { servers: `nats://127.0.0.1:${await freePort()}`, stop: controller.signal });
    controller.abort(new Error("enough"));
    await expect(pending).rejects.toThrow("enough");
  });

  test("comes back after kill -9: listeners hear again, both turns are told, memory did not fill up", async () => {
    const own = await natsServer();
    const [listener, speaker] = [
      await join(recordingLog(), { servers: own.url }),
      await join(recordingLog(), { servers: own.url }),
    ];
    const heard: string[] = [];
    const turns: boolean[] = [];
    listener.bus.subscribe(subjects.dropletUpdated, ({ droplet }) => heard.push(droplet));
    listener.bus.subscribe(subjects.deaStatus, (_nothing, message) =>
      message.reply({
        id: "a",
        ip: "",
        port: 0,
        version: "1",
        max_memory: 1,
        reserved_memory: 0,
        used_memory: 0,
        num_clients: 0,
      }),
    );
    listener.bus.onConnection((connected) => turns.push(connected));
    await listener.bus.flush();
    const request = speaker.bus.request(subjects.deaStatus, {}, { timeout: 200 });
    await own.kill();
    await request;
    await until(() => !listener.bus.connected && !speaker.bus.connected, { what: "both noticed" });
    for (let i = 0; i < 20_000; i++) speaker.bus.publish(subjects.dropletUpdated, updated(`lost ${i}`));
    await speaker.bus.flush();
    expect(await speaker.bus.gather(subjects.deaStatus, {}, { timeout: 20 })).toEqual([]);
    listener.bus.subscribe(subjects.deaLocate, () => heard.push("subscribed while away"));
    await own.again();
    await until(() => listener.bus.connected && speaker.bus.connected, { what: "both are back" });
    await listener.bus.flush();
    speaker.bus.publish(subjects.deaLocate, {});
    speaker.bus.publish(subjects.dropletUpdated, updated("after"));
    await until(() => heard.includes("after"), { what: "the message after the return was heard" });
    expect(heard).toEqual(["subscribed while away", "after"]);
    expect(turns).toEqual([false, true]);
    expect(await speaker.bus.request(subjects.deaStatus, {}, { timeout: 5000 })).toMatchObject({ id: "a" });
    await own.stop();
  });

  test("can be left while it is away", async () => {
    const own = await natsServer();
    const { bus, close } = await join(recordingLog(), { servers: own.url });
    await own.kill();
    await until(() => !bus.connected, { what: "the loss was noticed" });
    await close();
    await close();
    await own.stop();
  });
});

describe("a bus that knows its users", () => {
  test("lets in whoever has the seed, and keeps asking with a wrong one", async () => {
    const seed = newSeed();
    const own = await natsServer({ config: `authorization { users = [ { nkey: ${publicKeyOf(seed)} } ] }` });
    const { bus } = await join(recordingLog(), { servers: own.url, seed });
    expect(bus.connected).toBe(true);
    const log = recordingLog();
    const controller = new AbortController();
    const wrong = join(log, { servers: own.url, seed: newSeed(), stop: controller.signal });
    await until(() => log.lines.length > 0, { what: "the refusal" });
    expect(log.lines.join()).toMatch(/[Aa]uthorization/);
    controller.abort();
    await expect(wrong).rejects.toThrow();
    await expect(join(log, { servers: own.url, seed: "SUNOSEED" })).rejects.toThrow();
    await own.stop();
  });

  test("never shows a seed or a password in the log", async () => {
    const log = recordingLog();
    const controller = new AbortController();
    const pending = join(log, {
      servers: `nats://127.0.0.1:${await freePort()}`,
      password: "hunter2",
      stop: controller.signal,
    });
    await until(() => log.lines.length > 0, { what: "the first attempt failed" });
    controller.abort();
    await pending.catch(() => {});
    expect(log.lines.join()).not.toContain("hunter2");
  });
});

test("a program that is no bus on the other end is no reason to crash", async () => {
  const { createServer } = await import("node:net");
  const liar = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(0, "127.0.0.1");
  await new Promise((resolve) => liar.once("listening", resolve));
  const { port } = liar.address() as { port: number };
  const controller = new AbortController();
  const log = recordingLog();
  const pending = join(log, { servers: `nats://127.0.0.1:${port}`, stop: controller.signal });
  await until(() => log.lines.length > 0, { what: "the first attempt failed" });
  controller.abort();
  await expect(pending).rejects.toThrow();
  connect(port, "127.0.0.1")
    .on("error", () => {})
    .destroy();
  liar.close();
});
