import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { subjects } from "../../../agent/bus/subjects.ts";
import { deaWorld, get, hello, shell, until } from "../../support/dea.ts";

const worker = { uris: [], health_check: { type: "process" } };

test("output goes to the app's log with its stream, its source and its index", async () => {
  const world = await deaWorld();
  const vcap_application = { application_id: "guid-1", process_type: "worker" };
  await world.whenRunning(await world.launch(hello, { index: 2, vcap_application }));
  await until("both lines", () => world.lines("APP/PROC/WORKER", "guid-1").length === 2);
  const messages = world.of("tutti.v1.log.guid-1").filter((one) => one["source"] === "APP/PROC/WORKER");
  const lines = messages.flatMap((one) => one["lines"] as object[]);
  expect(messages[0]).toMatchObject({ app: "guid-1", instance: "2" });
  expect(lines).toContainEqual({ at: expect.any(Number), text: expect.stringMatching(/^hello from \d+$/) });
  expect(lines).toContainEqual({ at: expect.any(Number), err: true, text: "a warning" });
});

test("a long line is cut, and what is no UTF-8 is replaced", async () => {
  const world = await deaWorld();
  await world.launch(shell("head -c 200000 /dev/zero | tr '\\0' x; echo; printf 'a\\377b\\n'; exec sleep 60"), worker);
  await until("the last line", () => world.lines("APP/PROC/WEB").includes("a\ufffdb"));
  const [long = ""] = world.lines("APP/PROC/WEB");
  expect(long).toMatch(/^x{65536} \[cut: the line is longer than 64 KiB\]$/);
});

test("an app that prints a gigabyte neither fills the disk nor the bus, and what is left out is said", async () => {
  const logCap = 2 ** 20;
  const world = await deaWorld({ logCap });
  const limits = { mem: 128, disk: 2048, fds: 256 };
  const flood = shell(
    "yes 0123456789012345678901234567890123456789 | head -c 1000000000; echo; echo done; exec sleep 60",
  );
  const before = process.memoryUsage().rss;
  const instance = await world.launch(flood, { ...worker, limits });
  await until("the end", () => world.lines("APP/PROC/WEB").includes("done"));
  expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
  const lines = world.lines("APP/PROC/WEB");
  expect(lines.join("\n").length).toBeLessThan(50 * 2 ** 20);
  await until("a notice", () =>
    world
      .lines("APP/PROC/WEB")
      .some((line) => /^about \d+ lines \(\d+\.\d MiB\) dropped: output faster than 1024 KiB\/s$/.test(line)),
  );
  const logs = join(world.home, "instances", `hello-0-${instance}`, "logs");
  const size = () => readdirSync(logs).reduce((sum, name) => sum + statSync(join(logs, name)).size, 0);
  await until("the files are within their cap", () => size() <= 2 * logCap);
});

test("lines wait in their file while the bus is away", async () => {
  const world = await deaWorld();
  await world.whenRunning(
    await world.launch(
      shell("echo one; read x < app/go; echo two; exec sleep 60".replace("read x < app/go", "sleep 1")),
      worker,
    ),
  );
  await until("the first", () => world.lines("APP/PROC/WEB").includes("one"));
  world.bus.disconnect();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(world.lines("APP/PROC/WEB")).toEqual(["one"]);
  world.bus.reconnect();
  await until("the second", () => world.lines("APP/PROC/WEB").includes("two"));
});

test("an app sees its own environment and nothing of the agent's; no argument shows a secret", async () => {
  process.env["AGENT_SECRET"] = "of the agent";
  const world = await deaWorld();
  const service = { name: "db", label: "postgresql-9", vendor: "", version: "", type: "", plan: "free", tags: [] };
  const credentials = { uri: "postgres://u:s3cret@db/x" };
  const instance = await world.launch(hello, {
    env: ["GREETING=a=b", "PORT=1", "VCAP_APPLICATION=no", "HOME=/elsewhere"],
    services: [{ ...service, credentials }],
    vcap_application: { application_id: "guid-1", application_name: "hello", space_name: "dev" },
  });
  await world.whenRunning(instance);
  const port = Number(world.last("router.register")?.["port"]);
  const env = JSON.parse(await get(port, "/env"));
  expect(env).toMatchObject({
    GREETING: "a=b",
    PORT: String(port),
    VCAP_APP_PORT: String(port),
    HOME: "/elsewhere",
    CF_INSTANCE_INDEX: "0",
    CF_INSTANCE_GUID: instance,
    CF_INSTANCE_ADDR: `127.0.0.1:${port}`,
    MEMORY_LIMIT: "256m",
    DATABASE_URL: credentials.uri,
  });
  expect(env).not.toHaveProperty("AGENT_SECRET");
  expect(JSON.parse(env.VCAP_APPLICATION)).toMatchObject({
    application_id: "guid-1",
    space_name: "dev",
    instance_id: instance,
    instance_index: 0,
    port,
  });
  expect(JSON.parse(env.VCAP_SERVICES)["postgresql-9"]).toMatchObject([{ name: "db", plan: "free", credentials }]);
  const shown = readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid))
    .map(commandLine)
    .join("\n");
  expect(shown).not.toContain("s3cret");
});

test.runIf(process.getuid?.() === 0)(
  "under root each app has a user of its own and can't read the other's files",
  async () => {
    const world = await deaWorld();
    const first = await world.launch(hello);
    await world.whenRunning(first);
    const env = JSON.parse(await get(Number(world.last("router.register")?.["port"]), "/env"));
    expect(Number(env.UID)).toBeGreaterThan(1000);
    const secret = join(world.home, "instances", `hello-0-${first}`, "app", "app.js");
    const spy = shell(
      `id -u; cat ${secret}; ls ${world.home}/instances; cat ${world.home}/snapshot.json; exec sleep 60`,
    );
    await world.launch(spy, { ...worker, droplet: "app-2" });
    await until("four lines", () => world.lines("APP/PROC/WEB", "app-2").length >= 4);
    const said = world.lines("APP/PROC/WEB", "app-2");
    expect(said[0] === env.UID).toBe(false);
    expect(said.filter((line) => line.includes("Permission denied"))).toHaveLength(3);
  },
);

test("an instance has its limits", async () => {
  const world = await deaWorld();
  await world.launch(shell("ulimit -n; ulimit -c; ulimit -f; umask; pwd; exec sleep 60"), {
    ...worker,
    limits: { mem: 64, disk: 32, fds: 77 },
  });
  await until("five lines", () => world.lines("APP/PROC/WEB").length === 5);
  const [fds, core, file, mask, where] = world.lines("APP/PROC/WEB");
  expect([fds, core, file, mask]).toEqual(["77", "0", String(32 * 2048), "0077"]);
  expect(where).toContain(join(world.home, "instances", "hello-0-"));
});

test("a start command runs in app/, and its varz says what runs and what is not isolated", async () => {
  const world = await deaWorld();
  const files = { "app/say.js": "console.log(process.cwd(), process.argv[2]); setInterval(() => {}, 1000)" };
  const instance = await world.launch(files, { ...worker, start_command: "node say.js $CF_INSTANCE_INDEX" });
  const [line = ""] = await until(
    "its line",
    () => world.lines("APP/PROC/WEB").length > 0 && world.lines("APP/PROC/WEB"),
  );
  expect(line).toMatch(new RegExp(`hello-0-${instance}/app 0$`));
  const [announce] = await world.tool.gather(subjects.discover, {}, { timeout: 1000, expected: 1 });
  const [user, password] = announce?.credentials ?? [];
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const varz = await until("varz of it", async () => {
    const answer = await fetch(`http://${announce?.host}/varz`, { headers: { authorization } });
    const body = (await answer.json()) as { num_apps: number };
    return body.num_apps === 1 && body;
  });
  expect(varz).toMatchObject({
    type: "DEA",
    apps_max_memory: 2048,
    apps_reserved_memory: 256,
    running_apps: [{ id: instance, state: "RUNNING" }],
    isolation: { driver: "process", missing: [expect.stringMatching(/no namespaces/), expect.any(String)] },
  });
});

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
