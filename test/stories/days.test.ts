import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { app, example, hello } from "../support/apps.ts";
import { type Solo, soloCluster, until } from "../support/solo.ts";

// Good days and bad days of a whole cluster, through the command as a person uses it.

let solo: Solo;
const host = (name: string) => `${name}.${solo.domain}`;

beforeAll(async () => {
  solo = await soloCluster({ beat: 250 });
  await solo.json("push", "hello", "--path", hello);
}, 90_000);
afterAll(() => solo?.remove());

/** Processes of this cluster with a word in their command line: they name its home there, or live in it. */
function below(word: string): number[] {
  const ours = (pid: number) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      return (
        command.includes(word) &&
        (command.includes(solo.home) || readlinkSync(`/proc/${pid}/cwd`).startsWith(solo.home))
      );
    } catch {
      return false;
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(ours);
}

function kill(pid: number | undefined): number {
  // 0 would be this very process and all beside it.
  if (!pid) throw new Error("there is no such process");
  process.kill(pid, "SIGKILL");
  return pid;
}

/** Asks without pause and counts what is not a 200. */
function hammer(name: string) {
  const seen = { good: 0, bad: [] as string[] };
  let on = true;
  const loop = (async () => {
    while (on) {
      const page = await solo.get(host(name)).catch((error: Error) => ({ status: error.message }));
      if (page.status === 200) seen.good++;
      else seen.bad.push(String(page.status));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return async () => {
    on = false;
    await loop;
    return seen;
  };
}

describe("on a good day", () => {
  it("a pushed app answers through the router", async () => {
    expect((await solo.get(host("hello"))).body).toContain("hello");
  });

  it("an app that is scaled is answered for by every instance", async () => {
    await solo.json("scale", "hello", "-i", "3");
    const seen = new Set<number>();
    await until(
      async () => seen.add((await app(solo, host("hello"))).index),
      () => seen.size === 3,
    );
    await solo.json("scale", "hello", "-i", "1");
    await until(
      () => app(solo, host("hello")),
      (one) => one.index === 0,
    );
  });

  it("an app that is pushed again rolls over without one failed request", async () => {
    await solo.json("scale", "hello", "-i", "2");
    const before = (await app(solo, host("hello"))).instance;
    const done = hammer("hello");
    await solo.json("push", "hello", "--path", hello);
    await until(
      () => app(solo, host("hello")),
      (one) => one.instance !== before,
    );
    const { good, bad } = await done();
    expect(bad).toEqual([]);
    expect(good).toBeGreaterThan(10);
    await solo.json("scale", "hello", "-i", "1");
  }, 60_000);

  it("environment variables reach the app at its next start, and never the list of processes", async () => {
    await solo.json("set-env", "hello", "GREETING", "s3cret-word");
    await solo.json("restart", "hello");
    const { pid } = await until(() => app(solo, host("hello")).catch(() => undefined), Boolean).then(
      (one) => one ?? { pid: 0 },
    );
    expect(readFileSync(`/proc/${pid}/environ`, "utf8")).toContain("GREETING=s3cret-word");
    expect(execFileSync("ps", ["axo", "args"], { encoding: "utf8" })).not.toContain("s3cret-word");
  }, 60_000);

  it("logs tell what the app printed and where it came from", async () => {
    const { out } = await until(
      () => solo.tutti("logs", "hello", "--recent"),
      (ran) => ran.out.includes("listens on"),
    );
    expect(out).toMatch(/APP\/PROC\/WEB/);
    expect(out).toMatch(/STG/);
  });

  it("the trace of a push tells the story of the bus", async () => {
    const { out } = await solo.tutti("trace", "push", "hello");
    for (const word of ["vcap.stager", "dea.discover", "router.register"]) expect(out).toContain(word);
  });

  it("every component is ready and says how it is", async () => {
    const { out, code } = await solo.tutti("process", "ready", "all", "--block", "20");
    expect([code, out.trim().split("\n").at(-1)]).toEqual([0, "READY"]);
  });
});

describe("on a bad day", () => {
  it("an instance that is killed is replaced", async () => {
    const { pid } = await app(solo, host("hello"));
    kill(pid);
    const again = await until(
      () => app(solo, host("hello")).catch(() => undefined),
      (one) => one && one.pid !== pid,
    );
    expect(again?.index).toBe(0);
  });

  it("the bus server is killed and comes back: apps answer all the while, nothing is restarted, no route is lost", async () => {
    const before = await app(solo, host("hello"));
    const done = hammer("hello");
    const bus = kill(below("nats")[0]);
    await until(
      () => below("nats"),
      ([now]) => now && now !== bus,
    );
    await until(
      () => solo.tutti("status"),
      (ran) => ran.code === 0,
    );
    // Long enough for verdicts that must not be given: several times the beats after which an instance is lost.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const { bad } = await done();
    expect(bad).toEqual([]);
    expect((await app(solo, host("hello"))).pid).toBe(before.pid);
    // Everybody is on the bus again: a command that needs all of them works.
    await solo.json("restart", "hello");
  }, 60_000);

  it("HAProxy is killed and is back with all its routes", async () => {
    kill(below("haproxy")[0]);
    const page = await until(
      () => solo.get(host("hello")).catch(() => undefined),
      (one) => one?.status === 200,
    );
    expect(page?.body).toContain("hello");
  });

  it("the agent is killed and started again: the same instances, the same pids", async () => {
    const before = await until(() => app(solo, host("hello")).catch(() => undefined), Boolean);
    kill(solo.agentPid());
    await solo.up();
    const after = await until(() => app(solo, host("hello")).catch(() => undefined), Boolean);
    expect(after).toEqual(before);
    // And they are counted: nothing is started beside them.
    const { out } = await solo.tutti("app", "hello");
    expect(out).toMatch(/1\/1|running/i);
  }, 60_000);

  it("the controller dies in the middle of a push: the push can be repeated and leaves no half-made app", async () => {
    const pushing = solo.tutti("push", "torn", "--path", example("python"));
    await until(
      () => solo.tutti("apps", "--json"),
      ({ out }) => out.includes("torn"),
    );
    kill(solo.agentPid());
    expect((await pushing).code).toBe(1);
    await solo.up();
    await solo.json("push", "torn", "--path", example("python"));
    expect((await solo.get(host("torn"))).status).toBe(200);
    await solo.json("delete", "torn", "--force");
  }, 120_000);

  it("a cluster that is stopped comes back with the same apps and routes", async () => {
    await solo.down();
    expect(below("")).toEqual([]);
    await solo.up();
    const page = await until(
      () => solo.get(host("hello")).catch(() => undefined),
      (one) => one?.status === 200,
    );
    expect(page?.body).toContain("hello");
  }, 60_000);

  it.each([
    ["exits at once", "crash/exits", /exited with status|exit status/i],
    ["never listens", "crash/never-listens", /did not listen|not accept/i],
    ["listens on the wrong port", "crash/wrong-port", /listens on \d+ instead/i],
  ])(
    "an app that %s is shown as what it is",
    async (_title, path, words) => {
      const { code, error, out } = await solo.tutti("push", "bad", "--path", example(path));
      expect(code).toBe(1);
      expect(error + out).toMatch(words);
      expect((await solo.tutti("app", "bad")).out + (await solo.tutti("logs", "bad", "--recent")).out).toMatch(words);
      await solo.json("delete", "bad", "--force");
    },
    120_000,
  );

  it("a port that is taken is named with who has it and which setting changes it", async () => {
    await solo.down();
    const { port } = new URL(solo.router);
    const squatter = createServer().listen(Number(port), "127.0.0.1");
    const { code, error } = await solo.tutti("solo", "up", "--detach", "--spec", solo.spec);
    squatter.close();
    expect(code).toBe(1);
    expect(error).toContain(port);
    expect(error).toContain("ports.router");
    expect(error).toContain(`${process.pid}`);
    await solo.up();
  }, 60_000);
});
