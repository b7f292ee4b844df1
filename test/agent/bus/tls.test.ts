import { connect, createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { type Dialed, dial, dialOnce } from "../../../agent/bus/nats.ts";
import { newSeed, publicKeyOf } from "../../../agent/bus/nkeys.ts";
import { at } from "../../../agent/bus/subject.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { silent } from "../../../agent/run/log.ts";
import { type Door, door, newAuthority } from "../../support/joined.ts";
import { freePort, natsServer } from "../../support/nats.ts";
import { type RecordingLog, recordingLog } from "../../support/recordingLog.ts";
import { until } from "../../support/until.ts";

const authority = newAuthority();
const doors: Door[] = [];
const dialed: Dialed[] = [];
afterEach(async () => {
  for (const one of dialed.splice(0)) await one.close();
  for (const one of doors.splice(0)) await one.close();
});

/** A server with TLS that knows one node. */
async function open() {
  const one = await door({ authority });
  doors.push(one);
  const seed = newSeed();
  await one.admit({ "dea-0": publicKeyOf(seed) });
  const enter = async (
    log: RecordingLog = recordingLog(),
    servers: string | string[] = `tls://127.0.0.1:${one.port}`,
  ) => {
    const as = { name: "dea-0", user: "dea-0", by: "dea-0", seed };
    const joined = await dial({ servers, ca: authority.certificate, ...as, log });
    dialed.push(joined);
    return joined;
  };
  return { one, seed, enter };
}

describe("a node on an encrypted bus", () => {
  test("says what it says of itself under its own name, and everything else as it is", async () => {
    const { one, enter } = await open();
    const heard: string[] = [];
    const everything = { name: ">", payload: z.unknown(), speakers: [], listeners: [], what: "" };
    one.bus.subscribe(everything, (_payload, { subject }) => heard.push(subject));
    await one.bus.flush();
    const { bus } = await enter();
    bus.publish(subjects.deaHeartbeat, { dea: "0-a", prod: false, droplets: [] });
    bus.publish(subjects.routerGreet, {});
    bus.publish(at(subjects.log, { app: "a" }), { app: "a", source: "CELL", instance: "", lines: [] });
    await until(() => heard.length === 3, { what: "all of it is heard" });
    expect(heard).toEqual(["tutti.v1.by.dea-0.dea.heartbeat", "router.greet", "tutti.v1.log.a"]);
  });

  test("asks and is answered under its own inbox", async () => {
    const { one, enter } = await open();
    one.bus.subscribe(subjects.nodeWish, (_nothing, message) => message.reply({ roles: ["dea"] }));
    await one.bus.flush();
    const { bus } = await enter();
    expect(await bus.request(at(subjects.nodeWish, { node: "dea-0" }), {}, { timeout: 5000 })).toEqual({
      roles: ["dea"],
    });
  });

  test("comes to another server when the first is away, and stays with those that it was told of", async () => {
    const { one, enter } = await open();
    const { bus } = await enter(recordingLog(), ["tls://127.0.0.5:1", `tls://127.0.0.1:${one.port}`]);
    await one.server.kill();
    await until(() => !bus.connected, { what: "it is away" });
    await one.server.again();
    await until(() => bus.connected, { what: "it is back" });
  });

  test("does not believe a server that is no core, though its certificate is of the same authority", async () => {
    const { one, seed } = await open();
    const port = await freePort();
    const impostor = createServer((from) => {
      const to = connect(one.port, "127.0.0.1");
      from
        .on("error", () => to.destroy())
        .pipe(to)
        .on("error", () => from.destroy())
        .pipe(from);
    }).listen(port, "127.0.0.3");
    const servers = `tls://127.0.0.3:${port}`;
    const as = { name: "x", user: "dea-0", seed, ca: authority.certificate, log: silent };
    await expect(dialOnce({ servers, ...as })).rejects.toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    impostor.close();
  });

  test("does not speak to a server without encryption", async () => {
    const plain = await natsServer();
    const as = { name: "x", user: "x", ca: authority.certificate, log: silent };
    await expect(dialOnce({ servers: `tls://127.0.0.1:${plain.port}`, ...as })).rejects.toThrow(
      /does not support 'tls'/,
    );
    await plain.stop();
  });

  test("that is shut out goes on asking, without filling the log", async () => {
    const { one, seed, enter } = await open();
    const log = recordingLog();
    const { bus } = await enter(log);
    await one.admit({});
    await until(() => !bus.connected, { what: "it is shut out" });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(log.lines).toEqual([
      expect.stringMatching(/^(warn the bus is away|error the bus refused something)/),
      expect.stringMatching(/^(warn the bus is away|error the bus refused something)/),
    ]);
    await one.admit({ "dea-0": publicKeyOf(seed) });
    await until(() => bus.connected, { what: "it is back" });
  });
});

describe("who starts together with the server", () => {
  test("is not told of a bus that is away for a moment, and is told of one that stays away", async () => {
    const port = await freePort();
    const log = recordingLog();
    const joining = dial({ servers: `nats://127.0.0.1:${port}`, name: "x", user: "x", log });
    const warned = () => log.lines.some((line) => line.startsWith("warn"));
    expect(warned()).toBe(false);
    await until(warned, { what: "it is told" });
    const server = await natsServer({ port });
    dialed.push(await joining);
    await dialed.pop()?.close();
    await server.stop();
  });
});
