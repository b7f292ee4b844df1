import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isForAnswers } from "../../../agent/bus/answers.ts";
import { deaIdOf } from "../../../agent/bus/deaId.ts";
import { memberPermissions } from "../../../agent/bus/memberPermissions.ts";
import { type Dialed, dial } from "../../../agent/bus/nats.ts";
import { isUserKey, newSeed, publicKeyOf } from "../../../agent/bus/nkeys.ts";
import { type BusUser, busUsers, permissions } from "../../../agent/bus/permissions.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { serverConfig } from "../../../agent/core/serverConfig.ts";
import { type NatsServer, natsServer } from "../../support/nats.ts";
import { recordingLog } from "../../support/recordingLog.ts";
import { until } from "../../support/until.ts";

const seeds = new Map(busUsers.map((user) => [user, newSeed()]));
const rows = Object.values(subjects);
const concrete = (name: string) => name.replace(/\{\w+\}/g, "x");
let server: NatsServer;
const dialed: Dialed[] = [];

beforeAll(async () => {
  const users = [...seeds].map(([user, seed]) => ({
    who: { nkey: publicKeyOf(seed) },
    permissions: permissions(subjects, user),
  }));
  const { authorization } = JSON.parse(
    serverConfig({ name: "test", address: "127.0.0.1", port: 0, store: "", pidFile: "", users }),
  ) as { authorization: object };
  server = await natsServer({ config: `authorization: ${JSON.stringify(authorization)}` });
});
afterAll(async () => {
  for (const one of dialed) await one.close();
  await server.stop();
});

async function join(user: BusUser) {
  const log = recordingLog();
  const one = await dial({ servers: server.url, name: user, user, seed: seeds.get(user), log });
  dialed.push(one);
  return { ...one, log };
}

/** What the server refused of what was tried, as `publish subject` and `subscribe subject`. */
async function refusals(user: BusUser, attempt: (one: Awaited<ReturnType<typeof join>>) => void) {
  const one = await join(user);
  const refused: string[] = [];
  const status = one.connection.status();
  const follow = async () => {
    for await (const it of status) {
      if (it.type !== "error") continue;
      const [, what, subject] = /Permissions Violation for (\w+) (?:to|using) ?"([^"]+)"/i.exec(it.error.message) ?? [];
      refused.push(`${what?.toLowerCase()} ${subject}`);
    }
  };
  void follow();
  attempt(one);
  await one.bus.flush();
  // Refusals reach us before the answer to the flush, but through a queue of their own.
  await new Promise((resolve) => setTimeout(resolve, 50));
  return refused;
}

describe("what the server allows", () => {
  for (const user of busUsers.filter((one) => one !== "watch")) {
    test(`lets ${user} say exactly what the table says`, async () => {
      const refused = await refusals(user, ({ connection }) => {
        for (const { name } of rows) connection.publish(concrete(name), "{}");
      });
      const silentOn = rows.filter(({ speakers }) => !(speakers as readonly string[]).includes(user));
      expect(refused.sort()).toEqual(silentOn.map(({ name }) => `publish ${concrete(name)}`).sort());
    });

    test(`lets ${user} hear exactly what the table says`, async () => {
      const refused = await refusals(user, ({ connection }) => {
        for (const { name, queue } of rows)
          connection.subscribe(name.replace(/\{\w+\}/g, "*"), { queue, callback: () => {} });
      });
      const deafTo = rows.filter(
        ({ listeners }) => user !== "core" && !(listeners as readonly string[]).includes(user),
      );
      expect(refused.sort()).toEqual(deafTo.map(({ name }) => `subscription ${name.replace(/\{\w+\}/g, "*")}`).sort());
    });
  }

  test("lets nobody take a queue's work outside of the queue", async () => {
    const refused = await refusals("stager", ({ connection }) => {
      connection.subscribe("vcap.stager.*", { callback: () => {} });
      connection.subscribe("vcap.stager.*", { queue: "mine", callback: () => {} });
      connection.subscribe("vcap.stager.*", { queue: "vcap.stager.staging", callback: () => {} });
    });
    expect(refused).toEqual(["subscription vcap.stager.*", "subscription vcap.stager.*"]);
  });

  test("lets nobody hear another's answers, everything, or the server's own affairs", async () => {
    const refused = await refusals("router", ({ connection }) => {
      for (const subject of ["_INBOX_controller.>", "_INBOX.>", ">", "*.>", "$SYS.>", "$KV.tutti.>"])
        connection.subscribe(subject, { callback: () => {} });
      connection.subscribe("_INBOX_router.mine", { callback: () => {} });
      for (const subject of ["$JS.API.INFO", "$KV.tutti.apps.a", "_INBOX_controller.x"])
        connection.publish(subject, "{}");
    });
    expect(refused).toHaveLength(9);
    expect(refused).not.toContain("subscription _INBOX_router.mine");
  });

  test("lets whoever was asked answer, though it may say nothing else there", async () => {
    const [dea, controller] = [await join("dea"), await join("controller")];
    dea.bus.subscribe(subjects.deaDiscover, (_asked, message) => {
      for (const id of ["a", "b"]) message.reply({ id, ip: "127.0.0.1", port: 0, version: "1" });
    });
    await dea.bus.flush();
    const asked = { droplet: "a", name: "", limits: { mem: 1, disk: 1, fds: 1 }, runtime: "", prod: false, sha: "" };
    const answers = await controller.bus.gather(subjects.deaDiscover, asked, { timeout: 5000, expected: 2 });
    expect(answers.map(({ id }) => id)).toEqual(["a", "b"]);
    dea.connection.publish("_INBOX_controller.guess", "{}");
    await until(() => dea.log.lines.join().includes("Permissions Violation"), { what: "the guess was refused" });
  });

  test("lets the operator's eyes hear the bus but not speak for anybody", async () => {
    const refused = await refusals("watch", ({ connection }) => {
      for (const subject of [">", "dea.*.start", "_INBOX_watch.>"])
        connection.subscribe(subject, { callback: () => {} });
      for (const subject of ["$JS.API.>", "$SYS.>", "$KV.>", "$O.>"])
        connection.subscribe(subject, { callback: () => {} });
      for (const subject of ["vcap.component.discover", "dea.status", "droplet.status"])
        connection.publish(subject, "{}");
      for (const subject of ["dea.stop", "router.register", "$JS.API.STREAM.LIST"]) connection.publish(subject, "{}");
    });
    expect(refused.sort()).toEqual([
      "publish $JS.API.STREAM.LIST",
      "publish dea.stop",
      "publish router.register",
      "subscription $JS.API.>",
      "subscription $KV.>",
      "subscription $O.>",
      "subscription $SYS.>",
    ]);
  });
});

describe("the permissions of a DEA", () => {
  const starts = (deaId?: string) =>
    permissions(subjects, "dea", { deaId }).subscribe.allow.filter((subject) => subject.endsWith(".start"));

  test("are limited to its own start messages when its id is known", () => {
    expect(starts("0-abc")).toContain("dea.0-abc.start");
    expect(starts("0-abc")).not.toContain("dea.*.start");
    expect(starts()).toContain("dea.*.start");
  });
});

describe("the permissions of a node of several", () => {
  const member = (...roles: string[]) => memberPermissions(subjects, { id: "node-7", deaId: "7-abc", roles });

  test("are those of all its roles and of its agent, with its own tokens", () => {
    const { publish, subscribe } = member("dea", "stager");
    expect(publish).toEqual(expect.arrayContaining(["tutti.v1.node.node-7.wish", "cc.staging.*", "tutti.v1.log.*"]));
    expect(subscribe.allow).toEqual(
      expect.arrayContaining(["dea.7-abc.start", "tutti.v1.node.node-7.roles", "_INBOX_node-7.>", "staging staging"]),
    );
    expect(subscribe.allow.filter((subject) => /dea\.\*|_INBOX_(?!node-7)/.test(subject))).toEqual([]);
  });

  test("let it say of itself only what a core passes on", () => {
    const classic = Object.values(subjects).flatMap((row) => ("of" in row ? [row.name as string] : []));
    const { publish } = member("dea", "controller", "health", "router", "stager");
    expect(publish.filter((subject) => classic.includes(subject))).toEqual([]);
    for (const subject of classic) expect(publish).toContain(`tutti.v1.by.node-7.${subject}`);
  });

  test("give the store to those roles that need it, and to no agent", () => {
    const stored = (...roles: string[]) => member(...roles).publish.filter((subject) => subject.startsWith("$"));
    expect([stored("dea"), stored("router", "stager"), stored()]).toEqual([[], [], []]);
    expect(stored("health")).toContain("$KV.tutti.>");
    expect(stored("controller")).toContain("$O.>");
  });

  test("are only the agent's for roles that say nothing on the bus", () => {
    expect(member("postgresql").publish).toEqual(member().publish);
  });

  test("let a controller start instances everywhere, and hear only what is started at its own DEA", () => {
    const { publish, subscribe } = member("controller", "dea");
    expect(publish).toContain("dea.*.start");
    expect(subscribe.allow.filter((subject) => subject.endsWith(".start") && subject.includes("7-abc"))).toHaveLength(
      1,
    );
    expect(subscribe.allow).not.toContain("dea.*.start");
  });
});

test("an id of a DEA follows from its node's key, and is another one for another machine", () => {
  const [one, other] = [publicKeyOf(newSeed()), publicKeyOf(newSeed())];
  expect(deaIdOf({ index: 3, key: one })).toMatch(/^3-[0-9a-f]{32}$/);
  expect(deaIdOf({ index: 3, key: one })).toBe(deaIdOf({ index: 3, key: one }));
  expect(deaIdOf({ index: 3, key: other })).not.toBe(deaIdOf({ index: 3, key: one }));
});

test("a key is a key only to its last letter: a server would refuse all for one that is not", () => {
  const key = publicKeyOf(newSeed());
  expect(isUserKey(key)).toBe(true);
  for (const wrong of [
    "",
    newSeed(),
    `${key}A`,
    key.toLowerCase(),
    key.slice(0, -1),
    `A${key.slice(1)}`,
    `${key.slice(0, -1)}${key.endsWith("A") ? "B" : "A"}`,
  ])
    expect(isUserKey(wrong), wrong).toBe(false);
});

test("an answer goes to inboxes, to whoever is not let in yet and to builds, and not to the store", () => {
  for (const good of ["_INBOX.a.b", "_INBOX_dea-0.a", "_R_.a.b", "cc.staging.a"]) expect(isForAnswers(good)).toBe(true);
  for (const bad of ["$KV.tutti.a", "$JS.API.STREAM.PURGE.KV_tutti", "dea.stop", "_INBOXES.a", "", "x._INBOX.a"])
    expect(isForAnswers(bad)).toBe(false);
});

describe("the time in which a request may be answered", () => {
  test("is as long as a build takes for the stager, and short for all others", () => {
    expect(permissions(subjects, "stager").responses.seconds).toBe(900);
    expect(permissions(subjects, "dea").responses.seconds).toBe(10);
  });
});
