import { type ChildProcess, fork, spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import {
  blobServer,
  collectLog,
  deaOptions,
  deaWorld,
  droplet,
  type Files,
  get,
  type Heard,
  hello,
  type Overrides,
  scratch,
  shell,
  startMessage,
  until,
} from "../../support/dea.ts";

const host = fileURLToPath(new URL("./host.ts", import.meta.url));

/** A DEA in a process of its own, which can be killed. */
function hosted(home: string, onStop: "leave" | "stop" = "leave") {
  const { bus: _bus, log: _log, ...options } = deaOptions(undefined as never, home, { onStop });
  const child: ChildProcess = fork(host, [JSON.stringify(options)], { stdio: "inherit", execArgv: [] });
  const heard: Heard[] = [];
  const answers: { instance: string }[] = [];
  child.on("message", (message: { heard?: Heard; answer?: { instance: string } }) => {
    if (message.heard) heard.push(message.heard);
    if (message.answer) answers.push(message.answer);
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await gone;
  });
  const of = (subject: string) => heard.filter((one) => one.subject === subject).map((one) => one.payload);
  return {
    heard,
    of,
    id: async () => String((await until("a hello", () => of("dea.start")[0]))["id"]),
    async start(message: object) {
      const before = answers.length;
      child.send({ id: await this.id(), start: message });
      return (await until("an answer", () => answers[before])).instance;
    },
    async running(instance: string): Promise<number> {
      const heartbeat = () => (of("dea.heartbeat").at(-1)?.["droplets"] ?? []) as { instance: string; state: string }[];
      await until("RUNNING", () => heartbeat().some((one) => one.instance === instance && one.state === "RUNNING"));
      const register = await until("a registration", () => of("router.register").at(-1));
      return Number(register["port"]);
    },
    async kill() {
      child.kill("SIGKILL");
      await gone;
    },
    async stop() {
      child.send({ stop: true });
      await gone;
    },
  };
}

async function place() {
  const home = join(scratch(), "dea");
  const blobs = await blobServer();
  const message = (files: Files, more: Overrides = {}) => {
    const { path, sha1 } = droplet(files);
    return startMessage({ uri: blobs.put(path), sha1 }, more);
  };
  // Whatever a test left running ends with a DEA that stops its instances.
  onTestFinished(async () => {
    const last = hosted(home, "stop");
    await until("a hello", () => last.of("dea.start")[0]);
    await last.stop();
  });
  return { home, message };
}

test("a DEA that is killed and started again has the same instance with the same pid, port and id", async () => {
  const { home, message } = await place();
  const first = hosted(home);
  const instance = await first.start(message(hello));
  const port = await first.running(instance);
  const pid = await get(port);
  const id = await first.id();
  await first.kill();
  expect(await get(port)).toBe(pid);

  const second = hosted(home);
  expect(await second.running(instance)).toBe(port);
  expect(await get(port)).toBe(pid);
  expect(await second.id()).toBe(id);
  expect(second.of("droplet.exited")).toEqual([]);
  expect(second.of("router.register")[0]).toMatchObject({ port, uris: ["hello.example.test"] });

  process.kill(Number(pid), "SIGKILL");
  const exit = await until("its exit", () => second.of("droplet.exited")[0]);
  expect(exit).toMatchObject({ instance, reason: "CRASHED", exit_status: -1 });
  expect(exit["exit_description"]).toMatch(/exit status is unknown because the agent was restarted/);
});

test("a DEA that is stopped leaves its instances running and says nothing of their end", async () => {
  const { home, message } = await place();
  const first = hosted(home);
  const instance = await first.start(message(hello));
  const port = await first.running(instance);
  await first.stop();
  expect(first.of("router.unregister")).toEqual([]);
  expect(first.of("droplet.exited")).toEqual([]);
  expect(first.of("dea.shutdown")).toHaveLength(1);
  expect(await get(port)).toMatch(/^\d+$/);
});

test("a DEA that shuts down stops its instances and says so", async () => {
  const { home, message } = await place();
  const first = hosted(home, "stop");
  const instance = await first.start(message(hello));
  const port = await first.running(instance);
  await first.stop();
  expect(first.of("droplet.exited")).toMatchObject([{ instance, reason: "DEA_SHUTDOWN" }]);
  await expect(get(port)).rejects.toThrow();
});

test("an instance that ended while no DEA ran is told as a crash, with its last words", async () => {
  const { home, message } = await place();
  const first = hosted(home);
  const instance = await first.start(message(hello));
  const port = await first.running(instance);
  const pid = Number(await get(port));
  await first.kill();
  process.kill(pid, "SIGKILL");
  const second = hosted(home);
  const exit = await until("its exit", () => second.of("droplet.exited")[0]);
  expect(exit).toMatchObject({ instance, reason: "CRASHED" });
  expect(exit["exit_description"]).toMatch(/^ended while the agent was away/);
  expect(second.of("router.unregister")[0]).toMatchObject({ port, uris: ["hello.example.test"] });
});

test("output is published on from where it was", async () => {
  const { home, message } = await place();
  const counting = shell("i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done");
  const first = hosted(home);
  await first.start(message(counting, { health_check: { type: "process" } }));
  const texts = (which: typeof first) =>
    which
      .of("tutti.v1.log.app-1")
      .filter((one) => one["source"] === "APP/PROC/WEB")
      .flatMap((one) => (one["lines"] as { text: string }[]).map((line) => Number(line.text.slice(5))));
  await until("ten lines", () => texts(first).length > 10);
  await first.kill();
  const second = hosted(home);
  await until("more lines", () => texts(second).length > 10);
  const seen = [...texts(first), ...texts(second)];
  // Each line is there; at most those of the last moment before the kill are there twice.
  const last = Math.max(...seen);
  expect(new Set(seen).size).toBe(last);
  expect(seen.length - last).toBeLessThan(30);
});

test("an instance that was still starting goes on to become ready", async () => {
  const { home, message } = await place();
  const slow = {
    "app/app.js": `setTimeout(() => require("node:http").createServer((q, r) => r.end("late")).listen(process.env.PORT), 1500)`,
  };
  const first = hosted(home);
  const instance = await first.start(message(slow));
  const snapshot = join(home, "snapshot.json");
  await until(
    "its process is on record",
    () => existsSync(snapshot) && readFileSync(snapshot, "utf8").includes('"pid"'),
  );
  await first.kill();
  const second = hosted(home);
  expect(await get(await second.running(instance))).toBe("late");
});

test("what is in no record is ended and removed, and its logs are put aside", async () => {
  const home = join(scratch(), "dea");
  const stray = join(home, "instances", "ghost-0-1234");
  mkdirSync(join(stray, "logs"), { recursive: true });
  writeFileSync(join(stray, "logs", "stdout.log"), "boo\n");
  const process_ = spawn("sleep", ["600"], {
    env: { PATH: "/bin:/usr/bin", VCAP_INSTANCE_DIR: stray },
    detached: true,
  });
  const ended = new Promise((resolve) => process_.once("exit", resolve));
  await deaWorld({ home });
  await ended;
  await until("its directory gone", () => !existsSync(stray));
  const [kept = ""] = readdirSync(join(home, "evidence"));
  expect(readFileSync(join(home, "evidence", kept, "stdout.log"), "utf8")).toBe("boo\n");
  expect(JSON.parse(readFileSync(join(home, "evidence", kept, "why.json"), "utf8"))).toHaveProperty("why");
});

test("a snapshot that can't be read is put aside and said, and the DEA starts", async () => {
  const home = join(scratch(), "dea");
  mkdirSync(home, { recursive: true });
  appendFileSync(join(home, "snapshot.json"), "{broken");
  const log = collectLog();
  await deaWorld({ home, log });
  expect(existsSync(join(home, "snapshot.json.unreadable"))).toBe(true);
  expect(log.lines.join()).toContain("can't be read");
});

test("the snapshot holds no environment and nobody else can read it", async () => {
  const world = await deaWorld();
  const instance = await world.launch(hello, { env: ["API_KEY=topsecret"] });
  await world.whenRunning(instance);
  const path = join(world.home, "snapshot.json");
  await until("a snapshot", () => existsSync(path) && readFileSync(path, "utf8").includes("RUNNING"));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, "utf8")).not.toContain("topsecret");
});
