import { afterEach, describe, expect, test } from "vitest";
import { memoryNet } from "../../../agent/bus/memory.ts";
import type { DeaStart, HeartbeatEntry } from "../../../agent/bus/messages/instance.ts";
import { at } from "../../../agent/bus/subject.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { type RecorderOptions, recorder } from "../../../agent/core/recorder.ts";
import { silent } from "../../../agent/run/log.ts";
import { type Running, start } from "../../../agent/run/runner.ts";

const running: Running[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

const dea = "0-1fb14a82d5a64b0d9f3a5a9f0b9a7c11";
const instance = "a".repeat(32);
const part = { cc_partition: "default" };

async function recording(more: Partial<RecorderOptions> = {}) {
  const net = memoryNet();
  const bus = net.join();
  const { runner, size } = recorder({ bus: net.join(), log: silent, ...more });
  const one = start(runner);
  running.push(one);
  await one.ready;
  const trace = async (app: string) => {
    await bus.flush();
    return (await bus.request(at(subjects.trace, { app }), {}, { timeout: 1000 }))?.messages ?? [];
  };
  return { bus, size, trace, said: async (app: string) => (await trace(app)).map(({ what }) => what) };
}

function startMessage(droplet: string): DeaStart {
  const vcap_application = { application_id: "app-1", application_name: "hello" };
  const limits = { mem: 256, disk: 256, fds: 1024 };
  const uris = ["hello.tutti.localhost"];
  const head = { droplet, name: "hello-web", index: 0, version: "v1", uris, sha1: "abc", executableFile: "deprecated" };
  const kind = { runtime: "", framework: "", stack: "", prod: false, console: false, services: [], users: [] };
  const secret = { env: ["TOKEN=s3cret"], executableUri: "http://x/y?signature=s3cret" };
  return { ...head, ...kind, ...secret, ...part, limits, vcap_application };
}

const entry = (state: HeartbeatEntry["state"], droplet = "process-2"): HeartbeatEntry => ({
  ...{ droplet, version: "v1", instance, index: 0, state, state_timestamp: 1, ...part },
});
const route = {
  host: "127.0.0.1",
  port: 61001,
  uris: ["hello.tutti.localhost"],
  app: "app-1",
  dea,
  tags: { process_id: "process-2" },
};

describe("the recorder", () => {
  test("tells a start as the bus saw it, in the app's name although DEAs only know its process", async () => {
    const { bus, said } = await recording();
    const limits = { mem: 256, disk: 256, fds: 1024 };
    bus.publish(subjects.deaDiscover, { droplet: "process-2", name: "", limits, runtime: "", prod: false, sha: "" });
    bus.publish(at(subjects.deaUuidStart, { uuid: dea }), startMessage("process-2"));
    bus.publish(subjects.deaHeartbeat, { dea, prod: false, droplets: [entry("STARTING")] });
    bus.publish(subjects.deaHeartbeat, { dea, prod: false, droplets: [entry("RUNNING")] });
    bus.publish(subjects.routerRegister, route);
    expect(await said("app-1")).toEqual([
      "controller asks all DEAs for 256 MiB",
      "controller tells DEA 0-1fb1… to start instance 0 of hello (256 MiB)",
      "DEA 0-1fb1… tells the health managers: instance 0 is STARTING",
      "DEA 0-1fb1… tells the health managers: instance 0 is RUNNING",
      "DEA 0-1fb1… registers hello.tutti.localhost → 127.0.0.1:61001",
    ]);
  });

  test("tells a build and how it ended", async () => {
    const { bus, said } = await recording();
    const resources = { mem: 512, disk: 1024, fds: 1024 };
    const properties = { services: [], framework: "", runtime: "", resources, environment: ["K=s3cret"], meta: {} };
    const uris = { download_uri: "http://s3cret", upload_uri: "http://s3cret" };
    const request = { app_id: "app-1", properties, ...uris, notify_subj: "cc.staging.task1" };
    bus.publish(at(subjects.stager, { queue: "staging" }), request);
    const result = { task_id: "task1", task_log: "s3cret", detected_buildpack: "nodejs", droplet_sha1: "0123456789" };
    bus.publish(at(subjects.stagingDone, { task: "task1" }), result);
    bus.publish(at(subjects.stagingDone, { task: "task1" }), { task_id: "task1", task_log: "", error: "s3cret" });
    expect(await said("app-1")).toEqual([
      "controller asks the stagers (queue staging) to build",
      "stager reports a droplet (nodejs), sha1 012345…",
      "stager reports that the build failed",
    ]);
  });

  test("tells a crash and what follows from it", async () => {
    const { bus, said } = await recording();
    const exited = { droplet: "app-1", version: "v1", instance, index: 0, ...part };
    bus.publish(subjects.dropletExited, { ...exited, reason: "CRASHED", exit_status: 137, exit_description: "killed" });
    bus.publish(subjects.routerUnregister, route);
    bus.publish(subjects.hmRequests, { op: "START", droplet: "app-1", last_updated: 1, indices: [0] });
    bus.publish(subjects.hmRequests, { op: "STOP", droplet: "app-1", last_updated: 1, instances: [instance] });
    bus.publish(subjects.deaStop, { droplet: "app-1", indices: [1, 2] });
    bus.publish(subjects.deaStop, { droplet: "app-1" });
    expect(await said("app-1")).toEqual([
      "a DEA reports the end of instance 0: CRASHED, exit status 137 (killed)",
      "DEA 0-1fb1… unregisters hello.tutti.localhost → 127.0.0.1:61001",
      "health manager asks the controller to start instance 0",
      "health manager asks the controller to stop instance aaaaaa…",
      "controller tells all DEAs to stop instances 1, 2",
      "controller tells all DEAs to stop all instances",
    ]);
  });

  test("tells what is repeated on a timer only when it says something new", async () => {
    const { bus, said } = await recording();
    const beat = (...droplets: HeartbeatEntry[]) => bus.publish(subjects.deaHeartbeat, { dea, prod: false, droplets });
    for (let i = 0; i < 5; i++) beat(entry("RUNNING", "app-1"));
    for (let i = 0; i < 5; i++) bus.publish(subjects.routerRegister, route);
    for (let i = 0; i < 5; i++) beat();
    bus.publish(subjects.routerRegister, { ...route, uris: ["other.tutti.localhost"] });
    expect(await said("app-1")).toEqual([
      "DEA 0-1fb1… tells the health managers: instance 0 is RUNNING",
      "DEA 0-1fb1… registers hello.tutti.localhost → 127.0.0.1:61001",
      "DEA 0-1fb1… tells the health managers: instance 0 is gone",
      "DEA 0-1fb1… registers other.tutti.localhost → 127.0.0.1:61001",
    ]);
  });

  test("tells nothing of other apps, and never a secret", async () => {
    const { bus, trace } = await recording();
    bus.publish(at(subjects.deaUuidStart, { uuid: dea }), startMessage("app-1"));
    bus.publish(subjects.dropletUpdated, { droplet: "app-2", ...part });
    expect(await trace("app-2")).toMatchObject([{ subject: "droplet.updated" }]);
    expect(JSON.stringify(await trace("app-1"))).not.toContain("s3cret");
    expect(await trace("app-3")).toEqual([]);
  });

  test("forgets what is too old and what is too much", async () => {
    let now = 0;
    const { bus, trace, size } = await recording({ limits: { messages: 3, age: 1000 }, now: () => now });
    for (now = 1; now <= 5; now++) bus.publish(subjects.dropletUpdated, { droplet: "app-1", ...part });
    await bus.flush();
    expect(size()).toBe(3);
    now = 5;
    expect(await trace("app-1")).toHaveLength(3);
    now = 2000;
    expect(await trace("app-1")).toEqual([]);
  });

  test("takes no work from the queue groups it listens to", async () => {
    const { bus } = await recording();
    const work: string[] = [];
    bus.subscribe(subjects.hmRequests, ({ droplet }) => work.push(droplet));
    for (let i = 0; i < 10; i++) bus.publish(subjects.hmRequests, { op: "START", droplet: `${i}`, last_updated: 0 });
    await bus.flush();
    expect(work).toHaveLength(10);
  });
});
