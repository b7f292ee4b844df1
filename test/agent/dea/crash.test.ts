import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { subjects } from "../../../agent/bus/subjects.ts";
import { processDriver } from "../../../agent/dea/processDriver.ts";
import { deaWorld, get, hello, scratch, shell, startMessage, until } from "../../support/dea.ts";

const node = (script: string) => ({ "app/app.js": script });

test("an app that exits at once is a crash that says so, and keeps its files", async () => {
  const world = await deaWorld();
  const instance = await world.launch(shell("echo going down >&2; exit 7"));
  const exit = await world.exit(instance);
  expect(exit).toMatchObject({ reason: "CRASHED", exit_status: 7, crash_timestamp: expect.any(Number) });
  expect(exit["exit_description"]).toMatch(/^exited with status 7 after \d+\.\d s$/);
  expect(await world.instance(instance)).toMatchObject({ state: "CRASHED", exit_status: 7 });
  expect(world.last("dea.advertise")).toMatchObject({ available_memory: 2048, app_id_to_count: {} });
  expect(world.last("dea.heartbeat")).toMatchObject({ droplets: [{ instance, state: "CRASHED" }] });
  await until("its last words", () => world.lines("APP/PROC/WEB").includes("going down"));
  await until("a CELL line", () => world.lines("CELL").some((line) => /Instance 0 crashed: exited with/.test(line)));
});

test("an exit with status 0 that nobody asked for is a crash too", async () => {
  const world = await deaWorld();
  const exit = await world.exit(await world.launch(shell("exit 0")));
  expect(exit).toMatchObject({ reason: "CRASHED", exit_status: 0 });
});

test("a killed app is told by its signal, and the exit follows the death within a moment", async () => {
  const world = await deaWorld();
  const instance = await world.launch(hello);
  await world.whenRunning(instance);
  const pid = Number(await get(world.last("router.register")?.["port"] as number));
  const killed = performance.now();
  process.kill(pid, "SIGKILL");
  const exit = await world.exit(instance);
  expect(performance.now() - killed).toBeLessThan(1000);
  expect(exit).toMatchObject({ exit_status: 137, exit_description: expect.stringMatching(/^killed by SIGKILL after/) });
});

test("an app that never listens is stopped when its time is over", async () => {
  const world = await deaWorld();
  const instance = await world.launch(shell("exec sleep 60"), { health_check_timeout: 6 });
  const exit = await world.exit(instance);
  expect(exit["exit_description"]).toMatch(/^did not listen on port \d+ within 6 s$/);
});

test("an app on the wrong port is told which one it has and which it should have", async () => {
  const world = await deaWorld();
  const wrong = node(`require("node:net").createServer().listen(0, () => console.log("up"));`);
  const exit = await world.exit(await world.launch(wrong, { health_check_timeout: 20 }));
  expect(exit["exit_description"]).toMatch(
    /^did not listen on port \d+ within 20 s; it listens on \d+ instead: listen on \$PORT$/,
  );
});

test("an app that answers its health check with an error does not become ready", async () => {
  const world = await deaWorld();
  const sick = node(
    `require("node:http").createServer((q, r) => { r.statusCode = 500; r.end() }).listen(process.env.PORT)`,
  );
  const check = { health_check: { type: "http", endpoint: "/health" }, health_check_timeout: 20 };
  const exit = await world.exit(await world.launch(sick, check));
  expect(exit["exit_description"]).toBe("did not answer GET /health with 200 within 20 s");
});

test("an http check that gets its 200 makes the instance ready; a process check asks for nothing", async () => {
  const world = await deaWorld();
  await world.whenRunning(await world.launch(hello, { health_check: { type: "http", endpoint: "/" } }));
  const worker = await world.launch(shell("exec sleep 60"), { index: 1, uris: [], health_check: { type: "process" } });
  await world.whenRunning(worker);
  world.tool.publish(subjects.deaStop, { droplet: "app-1" });
  await world.exit(worker);
});

test("an app that ignores SIGTERM is killed after its grace, and the exit says so", async () => {
  const world = await deaWorld();
  const deaf = node(
    `process.on("SIGTERM", () => console.log("no")); require("node:net").createServer().listen(process.env.PORT)`,
  );
  const instance = await world.launch(deaf);
  await world.whenRunning(instance);
  world.tool.publish(subjects.deaStop, { droplet: "app-1", instances: [instance] });
  const exit = await world.exit(instance);
  expect(exit).toMatchObject({ reason: "STOPPED", exit_status: 137 });
  expect(exit["exit_description"]).toMatch(/^stopped; killed because it ignored SIGTERM for \d/);
});

test.each(["with a user of its own", "as the agent's user"])(
  "what an app leaves running behind its first process is ended with it, %s",
  async (how) => {
    const home = join(scratch(), "dea");
    mkdirSync(home, { mode: 0o711 });
    const root = join(home, "instances");
    const user = how === "as the agent's user" ? ("agent" as const) : undefined;
    const world = await deaWorld({ home, driver: processDriver({ root, ...(user ? { user } : {}) }) });
    const forks = shell("setsid sleep 4321 & sleep 4322 & echo $! > app/pid; sleep 0.3; exit 1");
    const instance = await world.launch(forks);
    await world.exit(instance);
    const commands = () =>
      readdirSync("/proc").filter((pid) => {
        if (!/^\d+$/.test(pid)) return false;
        return environmentOf(pid).includes(root);
      });
    await until("everything gone", () => commands().length === 0);
  },
);

test("a download that fails, a wrong checksum and a broken archive are crashes that name the cause", async () => {
  const world = await deaWorld();
  const good = world.upload(hello);
  const cases: [{ uri: string; sha1: string }, RegExp][] = [
    [
      { ...good, uri: good.uri.replace(/droplets\/.*\?/, "droplets/none?") },
      /could not be fetched: http.*answered 404/,
    ],
    [{ ...good, sha1: "a".repeat(40) }, /checksum [0-9a-f]{40}, not a{40}/],
    [{ uri: "http://127.0.0.1:1/x?signature=secret", sha1: "b".repeat(40) }, /ECONNREFUSED/],
  ];
  for (const [file, expected] of cases) {
    const answer = await world.send(startMessage(file));
    const exit = await world.exit(String(answer?.instance));
    expect(exit["exit_description"]).toMatch(expected);
    expect(exit["exit_description"]).not.toContain("secret");
  }
});

test("a crashed instance goes when its time is over, one that flaps goes at once", async () => {
  const world = await deaWorld({ crashLifetime: 4 });
  const kept = await world.launch(shell("exit 1"));
  await world.exit(kept);
  const flapping = await world.launch(shell("exit 1"), { index: 1, flapping: true });
  await world.exit(flapping);
  const directories = () => readdirSync(join(world.home, "instances"));
  await until("the flapping one gone", () => !directories().some((name) => name.endsWith(flapping)));
  await until("and forgotten", async () => (await world.instance(flapping)) === undefined);
  await until("the other gone too", () => !directories().some((name) => name.endsWith(kept)));
});

test("a stop that matches a crashed instance removes it", async () => {
  const world = await deaWorld();
  const instance = await world.launch(shell("exit 1"));
  await world.exit(instance);
  const directory = join(world.home, "instances", String((await world.instance(instance))?.staged));
  expect(existsSync(directory)).toBe(true);
  world.tool.publish(subjects.deaStop, { droplet: "app-1", instances: [instance] });
  await until("its files gone", () => !existsSync(directory));
});

test("an app that takes more memory than it may have is ended and told so", async () => {
  const world = await deaWorld();
  const greedy = node(
    `require("node:net").createServer().listen(process.env.PORT); globalThis.x = Buffer.alloc(300 * 2 ** 20, 1); setInterval(() => {}, 1000)`,
  );
  const exit = await world.exit(await world.launch(greedy, { limits: { mem: 128, disk: 512, fds: 256 } }));
  expect(exit).toMatchObject({ reason: "CRASHED", exit_status: 137 });
  expect(exit["exit_description"]).toMatch(/^out of memory: used \d+ MiB of 128 MiB$/);
});

test("an app that fills its disk is ended and told so", async () => {
  const world = await deaWorld();
  const files = shell("for i in 1 2 3 4 5 6 7 8; do head -c 8000000 /dev/urandom > app/$i; done; exec sleep 60");
  const exit = await world.exit(await world.launch(files, { limits: { mem: 128, disk: 20, fds: 256 } }));
  expect(exit["exit_description"]).toMatch(/^out of disk: used \d+ MiB of 20 MiB$/);
});

function environmentOf(pid: string): string {
  try {
    return process.getBuiltinModule("node:fs").readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}
