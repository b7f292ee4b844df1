import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { app, hello } from "../support/apps.ts";
import { processesOf } from "../support/processes.ts";
import { run, type Solo, soloCluster, until } from "../support/solo.ts";

// The front door: what a person meets who types something wrong, starts twice, stops twice, or presses Ctrl-C.

const bin = fileURLToPath(new URL("../../bin/tutti.mjs", import.meta.url));

describe("somebody who types something wrong, before there is any cluster,", () => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "tutti-door-"));
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  const say = (args: string[], env: NodeJS.ProcessEnv = {}) =>
    run(process.execPath, [bin, ...args], {
      env: { ...process.env, TUTTI_HOME: home, NO_COLOR: "1", ...env },
      cwd: home,
    });
  const file = (name: string, text: string) => {
    writeFileSync(join(home, name), text);
    return join(home, name);
  };

  it("is told every mistake of a cluster.yaml at once, each with its path", async () => {
    const spec = file(
      "two.yaml",
      "name: x\ndomain: tutti.localhost\nbeet: 5\nports: { router: many }\nnodes: [{ name: a, roles: [cor] }]\n",
    );
    const { code, error } = await say(["solo", "up", "--spec", spec]);
    expect(code).toBe(1);
    for (const path of [spec, "  beet: ", "  ports.router: ", "  nodes[0].roles[0]: "]) expect(error).toContain(path);
    expect(error).toContain("hint: mend the lines above");
    const { out } = await say(["solo", "up", "--json", "--spec", spec]);
    expect(JSON.parse(out)).toMatchObject({ ok: false, error: { code: "bad_spec" } });
  });

  it.each([
    ["is not there", "missing.yaml"],
    ["is a directory", "."],
  ])("is told that a cluster.yaml %s", async (words, name) => {
    const { code, error } = await say(["solo", "up", "--spec", join(home, name)]);
    expect([code, error]).toEqual([1, expect.stringMatching(new RegExp(`${words}\nhint: .*--spec`))]);
  });

  it("is told that a home is too long a path for sockets, instead of waiting for a router that never comes", async () => {
    const long = join(home, "l".repeat(100));
    const { code, error } = await say(["solo", "up"], { TUTTI_HOME: long });
    expect([code, error]).toEqual([1, expect.stringMatching(/too long a path[\s\S]*TUTTI_HOME=/)]);
  });

  it("is told every mistake of a manifest at once", async () => {
    mkdirSync(join(home, "app"), { recursive: true });
    file("app/manifest.yml", "applications:\n- name: x\n  instances: many\n  memory: lots\n  comand: run\n");
    const { error } = await say(["push", "--path", join(home, "app")], { TUTTI_TARGET: "http://127.0.0.1:1" });
    for (const words of [".instances: ", ".memory: ", "did you mean command?"]) expect(error).toContain(words);
  });

  it("finds nothing to stop, which is no error", async () => {
    expect(await say(["solo", "down"])).toMatchObject({ code: 0, out: "nothing runs\n" });
  });
});

describe("a cluster in the foreground", () => {
  let solo: Solo;
  const open = new Set<ChildProcess>();
  beforeAll(async () => {
    solo = await soloCluster({ beat: 250 });
    await solo.json("push", "hello", "--path", hello);
    await solo.down();
  }, 90_000);
  afterEach(() => {
    for (const child of open) child.kill("SIGTERM");
  });
  afterAll(() => solo?.remove());

  /** `tutti solo up` as a terminal or npm has it: a process group of its own. */
  function foreground() {
    const env = { ...process.env, TUTTI_HOME: solo.home, NO_COLOR: "1" };
    const child = spawn(process.execPath, [bin, "solo", "up", "--spec", solo.spec], {
      env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    open.add(child);
    const said = { text: "" };
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk: string) => (said.text += chunk));
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve)).finally(() =>
      open.delete(child),
    );
    const heard = (words: string) =>
      until(
        () => said.text,
        (text) => text.includes(words),
        60_000,
      );
    const interrupt = () => process.kill(-(child.pid ?? 0), "SIGINT");
    return { said, ended, heard, interrupt };
  }
  const answers = () =>
    until(
      () => app(solo, `hello.${solo.domain}`).catch(() => undefined),
      (one) => one?.index === 0,
    );

  it("has its apps again, stops in order at Ctrl-C however often it is pressed, and leaves no process", async () => {
    const up = foreground();
    await up.heard("Ctrl-C stops");
    await answers();
    up.interrupt();
    up.interrupt();
    expect(await up.ended).toBe(0);
    const stopped = [...up.said.text.matchAll(/✓ (\w+) stopped/g)].map(([, name]) => name);
    expect(stopped).toHaveLength(6);
    expect(stopped.at(-1)).toBe("core");
    expect(processesOf(solo.home)).toEqual([]);
  }, 120_000);

  it("that is interrupted while it starts leaves no process and no harm", async () => {
    const up = foreground();
    await up.heard("✓ core");
    up.interrupt();
    expect(await up.ended).toBe(130);
    expect(up.said.text).toContain("interrupted");
    expect(processesOf(solo.home)).toEqual([]);
    const again = foreground();
    await again.heard("Ctrl-C stops");
    await answers();
    again.interrupt();
    await again.ended;
  }, 120_000);

  it("that is stopped from elsewhere says so and is no error", async () => {
    const up = foreground();
    await up.heard("Ctrl-C stops");
    await solo.down();
    expect(await up.ended).toBe(0);
    expect(up.said.text).toContain("stopped from elsewhere");
    expect(await solo.tutti("solo", "down")).toMatchObject({ code: 0, out: "nothing runs\n" });
  }, 120_000);

  it("is one cluster when two start it at once, and belongs to the one that was first", async () => {
    const both = [foreground(), foreground()];
    await Promise.all(both.map(({ heard }) => heard("all together")));
    const agents = processesOf(solo.home).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("agent/main.ts"),
    );
    expect(agents).toHaveLength(1);
    const first = both.find(({ said }) => !said.text.includes("runs already"));
    const second = both.find((one) => one !== first);
    expect(await second?.ended).toBe(0);
    expect(second?.said.text).toContain("ran already and goes on");
    await answers();
    first?.interrupt();
    await first?.ended;
    expect(processesOf(solo.home)).toEqual([]);
  }, 120_000);

  it("says what it does not take over from another cluster.yaml while it runs", async () => {
    await solo.up();
    const other = join(solo.home, "other.yaml");
    writeFileSync(other, readFileSync(solo.spec, "utf8").replace(/beat: \d+/, "beat: 300"));
    const { code, error } = await solo.tutti("solo", "up", "--spec", other, "--email", "else@example.test");
    expect(code).toBe(0);
    expect(error).toMatch(/other settings than .*other\.yaml \(beat\)/);
    expect(error).toContain(`its first user since its first start: ${solo.email}`);
  }, 60_000);

  it("names the setting of every port that somebody else has, and the file it stands in", async () => {
    await solo.down();
    const squatter = createServer().listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const { port } = squatter.address() as AddressInfo;
    const taken = join(solo.home, "taken.yaml");
    writeFileSync(taken, readFileSync(solo.spec, "utf8").replace("files: 0", `files: ${port}`));
    const { code, error } = await solo.tutti("solo", "up", "--detach", "--spec", taken);
    squatter.close();
    expect(code).toBe(1);
    expect(error).toContain(String(port));
    expect(error).toContain(`ports.files in ${taken}`);
    expect(processesOf(solo.home)).toEqual([]);
  }, 60_000);

  it("keeps its secrets out of the log, out of the list of processes and out of what others may read", async () => {
    await solo.up();
    const secrets = [solo.password, solo.nats.password];
    const log = readFileSync(join(solo.home, "solo/agent.log"), "utf8");
    const processes = execFileSync("ps", ["axo", "args"], { encoding: "utf8" });
    for (const secret of secrets) expect(log + processes).not.toContain(secret);
    for (const path of [
      "config.json",
      "solo/login.json",
      "solo/node.json",
      "solo/agent.log",
      "solo/node/core/nats.conf",
    ])
      expect([path, statSync(join(solo.home, path)).mode & 0o077]).toEqual([path, 0]);
  }, 60_000);
});
