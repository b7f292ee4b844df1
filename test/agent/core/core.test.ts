import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Dialed, dial } from "../../../agent/bus/nats.ts";
import type { BusUser } from "../../../agent/bus/permissions.ts";
import { at } from "../../../agent/bus/subject.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { type CoreOptions, core } from "../../../agent/core/core.ts";
import { coreCredentials } from "../../../agent/core/keys.ts";
import { Fault } from "../../../agent/run/fault.ts";
import { silent } from "../../../agent/run/log.ts";
import { type Running, start } from "../../../agent/run/runner.ts";
import { jetstreamStore } from "../../../agent/store/jetstream.ts";
import { objectBlobs } from "../../../agent/store/objects.ts";
import type { Change } from "../../../agent/store/store.ts";
import { freePort } from "../../support/nats.ts";
import { recordingLog } from "../../support/recordingLog.ts";
import { tool } from "../../support/tools.ts";
import { until } from "../../support/until.ts";

let home: string;
const running: Running[] = [];
const dialed: Dialed[] = [];
beforeEach(async () => {
  home = join(await mkdtemp(join(tmpdir(), "tutti-core-")), "core");
});
afterEach(async () => {
  for (const one of dialed.splice(0)) await one.close();
  for (const one of running.splice(0)) await one.stop();
  await rm(join(home, ".."), { recursive: true, force: true });
});

function begin(more: Partial<CoreOptions> = {}) {
  const pids: number[] = [];
  let url = "";
  const onListening = (listening: string) => {
    url = listening;
  };
  const defaults = {
    log: silent,
    index: 0,
    address: "127.0.0.1",
    beat: 100,
    home,
    port: 0,
    program: tool("nats-server"),
  };
  const one = start(core({ ...defaults, onListening, ...more }));
  running.push(one);
  return { one, pids, url: () => url };
}

async function enter(url: string, user: Exclude<BusUser, "watch"> = "controller") {
  const { seeds } = await coreCredentials(home);
  const one = await dial({ servers: url, name: `${user}-0`, user, seed: seeds[user], log: silent });
  dialed.push(one);
  return one;
}

const natsPid = async () => Number(await readFile(join(home, "nats.pid"), "utf8"));

describe("a core", () => {
  test("is ready when bus and store answer, and ends without leaving a process", async () => {
    const { one, url } = begin();
    await one.ready;
    const { connection } = await enter(url());
    const store = jetstreamStore(connection);
    await store.put("a", 1);
    const pid = await natsPid();
    for (const it of dialed.splice(0)) await it.close();
    await one.stop();
    expect(() => process.kill(pid, 0)).toThrow();
  });

  test("is present on its own bus", async () => {
    const { one, url } = begin();
    await one.ready;
    const { bus } = await enter(url(), "tool");
    const answers = await bus.gather(subjects.discover, {}, { timeout: 5000, expected: 1 });
    expect(answers).toMatchObject([{ type: "Core", index: 0, credentials: [expect.any(String), expect.any(String)] }]);
    const authorization = `Basic ${Buffer.from(answers[0]?.credentials.join(":") ?? "").toString("base64")}`;
    const varz = await fetch(`http://${answers[0]?.host}/varz`, { headers: { authorization } });
    expect(await varz.json()).toMatchObject({ type: "Core", nats_restarts: 0, nats_pid: await natsPid() });
  });

  test("keeps its secrets to itself", async () => {
    const { one } = begin({ trace: join(home, "..", "trace.log") });
    await one.ready;
    const modes = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    expect(await modes(home)).toBe("700");
    expect(await modes(join(home, "keys"))).toBe("700");
    for (const name of await readdir(join(home, "keys"))) expect(await modes(join(home, "keys", name))).toBe("600");
    expect(await modes(join(home, "nats.conf"))).toBe("600");
    expect(await modes(join(home, "..", "trace.log"))).toBe("600");
    const config = await readFile(join(home, "nats.conf"), "utf8");
    expect(config).not.toMatch(/\bSU[A-Z0-9]{50,}/);
    const { stdout } = await promisify(execFile)("cat", [`/proc/${await natsPid()}/cmdline`]);
    expect(stdout).not.toContain((await coreCredentials(home)).watch.password);
  });

  test("lets nobody in without a key of its own", async () => {
    const { one, url } = begin();
    await one.ready;
    for (const secret of [{}, { password: "guess" }]) {
      const controller = new AbortController();
      const log = recordingLog();
      const pending = dial({ servers: url(), name: "thief", user: "watch", ...secret, log, stop: controller.signal });
      await until(() => log.lines.length > 0, { what: "the refusal" });
      controller.abort();
      await expect(pending).rejects.toThrow();
    }
  });

  test("keeps keys, port and what was stored over a restart", async () => {
    const port = await freePort();
    const first = begin({ port });
    await first.one.ready;
    const before = await coreCredentials(home);
    await jetstreamStore((await enter(first.url())).connection).put("a", { kept: true });
    for (const it of dialed.splice(0)) await it.close();
    await first.one.stop();
    const second = begin({ port });
    await second.one.ready;
    expect(second.url()).toBe(first.url());
    expect(await coreCredentials(home)).toEqual(before);
    expect((await jetstreamStore((await enter(second.url())).connection).get("a"))?.value).toEqual({ kept: true });
  });

  test("starts nats-server again when it is killed, on the same port with the same data", async () => {
    const { one, url } = begin();
    await one.ready;
    const { bus, connection } = await enter(url());
    const store = jetstreamStore(connection, { timeout: 500 });
    await store.put("a", 1);
    const turns: boolean[] = [];
    bus.onConnection((connected) => turns.push(connected));
    const killed = await natsPid();
    process.kill(killed, "SIGKILL");
    await until(() => turns.length === 2, { what: "the client is back" });
    await until(
      () =>
        store.get("a").then(
          (entry) => entry?.value === 1,
          () => false,
        ),
      { what: "the store answers" },
    );
    expect(await natsPid()).not.toBe(killed);
    await until(async () => (await bus.gather(subjects.discover, {}, { timeout: 500, expected: 1 })).length, {
      what: "the core is present again",
    });
  });

  test("ends the nats-server that a killed agent left behind, and takes its place", async () => {
    const port = await freePort();
    const script = `
      import { core } from "${new URL("../../../agent/core/core.ts", import.meta.url).pathname}";
      import { start } from "${new URL("../../../agent/run/runner.ts", import.meta.url).pathname}";
      import { silent } from "${new URL("../../../agent/run/log.ts", import.meta.url).pathname}";
      const one = start(core({ log: silent, index: 0, address: "127.0.0.1", beat: 100, home: "${home}", port: ${port}, program: "${tool("nats-server")}" }));
      one.ready.then(() => process.kill(process.pid, "SIGKILL"));`;
    const child = execFile(process.execPath, ["--input-type=module", "-e", script]);
    await once(child, "exit");
    const orphan = await natsPid();
    expect(() => process.kill(orphan, 0)).not.toThrow();
    const { one } = begin({ port });
    await one.ready;
    await until(async () => (await natsPid()) !== orphan, { what: "a new server runs" });
    // Its entry may stand until somebody reaps it, but it runs nothing any more.
    expect(await readFile(`/proc/${orphan}/cmdline`, "utf8").catch(() => "")).toBe("");
  });

  test("says who holds its port, and which setting changes it", async () => {
    const thief = createServer().listen(0, "127.0.0.1");
    await once(thief, "listening");
    const { port } = thief.address() as { port: number };
    const { one } = begin({ port });
    const error = (await one.ready.then(
      () => undefined,
      (reason) => reason,
    )) as Fault;
    expect(error).toBeInstanceOf(Fault);
    expect(error).toMatchObject({ code: "port_in_use", hint: expect.stringContaining("ports.nats") });
    expect(error.message).toContain(`port ${port} is in use by process ${process.pid}`);
    thief.close();
  });

  test("fails with the reason when nats-server is missing or cannot start", async () => {
    const missing = begin({ program: "/no/such/nats-server" });
    await expect(missing.one.ready).rejects.toThrow("/no/such/nats-server");
    await mkdir(home, { recursive: true });
    await writeFile(join(home, "not-a-server"), "#!/bin/sh\necho the disk is on fire >&2; exit 1\n", { mode: 0o755 });
    const broken = begin({ program: join(home, "not-a-server") });
    await expect(broken.one.ready).rejects.toThrow("the disk is on fire");
  });

  test("shows who is connected and what it listens to, when monitoring is on", async () => {
    const monitor = await freePort();
    const { one, url } = begin({ monitor });
    await one.ready;
    const { bus } = await enter(url(), "router");
    bus.subscribe(subjects.routerRegister, () => {});
    await bus.flush();
    const connz = (await (await fetch(`http://127.0.0.1:${monitor}/connz?subs=1`)).json()) as {
      connections: { name: string; subscriptions_list?: string[] }[];
    };
    const router = connz.connections.find(({ name }) => name === "router-0");
    expect(router?.subscriptions_list).toContain("router.register");
  });

  test("writes down who said what, when a trace is wanted", async () => {
    const trace = join(home, "..", "trace.log");
    const { one, url } = begin({ trace });
    await one.ready;
    const { bus } = await enter(url(), "health");
    bus.publish(subjects.healthmanagerStart, {});
    await bus.flush();
    await until(async () => /cid:\d+.*\[PUB healthmanager\.start 2\]/.test(await readFile(trace, "utf8")), {
      what: "the line was written",
    });
  });

  test("lets the operator watch everything but the store", async () => {
    const { one, url } = begin();
    await one.ready;
    const { watch } = await coreCredentials(home);
    const log = recordingLog();
    const eyes = await dial({ servers: url(), name: "watch", ...watch, log });
    dialed.push(eyes);
    const heard: string[] = [];
    eyes.connection.subscribe(">", { callback: (_error, { subject }) => void heard.push(subject) });
    await eyes.bus.flush();
    const { bus, connection } = await enter(url());
    await jetstreamStore(connection).put("secret", 1);
    bus.publish(subjects.deaLocate, {});
    bus.publish(at(subjects.log, { app: "a" }), { app: "a", source: "API", instance: "", lines: [] });
    await until(() => heard.includes("tutti.v1.log.a"), { what: "the messages were heard" });
    expect(heard).toContain("dea.locate");
    expect(heard.filter((subject) => /^\$(KV|JS|O|SYS)/.test(subject))).toEqual([]);
    eyes.bus.publish(subjects.deaStop, { droplet: "a" });
    await until(() => log.lines.join().includes("Permissions Violation"), { what: "speaking was refused" });
    expect(heard).not.toContain("dea.stop");
  });
});

describe("the store of a core", () => {
  for (const user of ["controller", "health", "node"] as const)
    test(`can be used by ${user}`, async () => {
      const { one, url } = begin();
      await one.ready;
      const store = jetstreamStore((await enter(url(), user)).connection, { timeout: 1000 });
      const revision = await store.compareAndSet("lease.a", { holder: "x" }, 0);
      const changes: Change[] = [];
      const watching = store.watch("lease.", (change) => changes.push(change));
      await watching.current;
      await store.delete("lease.a", revision);
      await until(() => changes.length === 2, { what: "the deletion was told" });
      expect(await store.list("")).toEqual([]);
      watching.stop();
    });

  for (const user of ["dea", "router", "stager", "tool"] as const)
    test(`cannot be used by ${user}`, async () => {
      const { one, url } = begin();
      await one.ready;
      const { connection } = await enter(url(), user);
      await expect(jetstreamStore(connection, { timeout: 200 }).get("a")).rejects.toThrow();
      await expect(objectBlobs(connection, { timeout: 200 }).has("a")).rejects.toThrow();
    });

  test("keeps blobs for the controller alone", async () => {
    const { one, url } = begin();
    await one.ready;
    const blobs = objectBlobs((await enter(url())).connection);
    const { sha256 } = await blobs.put(Readable.from([Buffer.from("bits")]));
    expect(await blobs.has(sha256)).toMatchObject({ size: 4 });
    expect(await blobs.sweep(0)).toBe(0);
    await blobs.delete(sha256);
    const nosy = objectBlobs((await enter(url(), "health")).connection, { timeout: 200 });
    await expect(nosy.has(sha256)).rejects.toThrow();
  });
});
