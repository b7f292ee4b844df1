import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pulumi } from "../../infra/run/engine.ts";
import { read } from "../../infra/run/events.ts";
import { abandoned, locksIn } from "../../infra/run/locks.ts";
import { endSession } from "../../infra/run/session.ts";
import { findEngine, lay, pathFor, type Site } from "../../infra/run/site.ts";
import { EngineError, outputsOf, run } from "../../infra/run.ts";

const urn = (type: string, name: string) => `urn:pulumi:dev::tutti-trio::tutti:infra:Cluster$${type}::${name}`;
const line = (event: object) => JSON.stringify({ sequence: 1, timestamp: 1, ...event });
const machine = { type: "aws:ec2/instance:Instance", urn: urn("aws:ec2/instance:Instance", "trio-dev-run-0") };

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "tutti-run-"));
});
afterAll(() => rm(home, { recursive: true, force: true }));

describe("a line of the engine", () => {
  it("tells what begins and what is done, with what differs", () => {
    const metadata = { ...machine, op: "update", diffs: ["tags"] };
    const change = { ...machine, name: "trio-dev-run-0", deed: "change", properties: ["tags"] };
    expect(read(line({ resourcePreEvent: { metadata } }))).toEqual([{ kind: "begun", change }]);
    expect(read(line({ resOutputsEvent: { metadata } }))).toEqual([{ kind: "done", change }]);
    expect(read(line({ resOpFailedEvent: { metadata } }))).toMatchObject([{ kind: "failed" }]);
  });

  it("tells nothing of what stays, of components, of providers, of debugging, and of what is no JSON", () => {
    const silent = [
      line({ resOutputsEvent: { metadata: { ...machine, op: "same" } } }),
      line({
        resOutputsEvent: { metadata: { op: "create", type: "tutti:infra:Node", urn: urn("tutti:infra:Node", "x") } },
      }),
      line({
        resOutputsEvent: {
          metadata: { op: "create", type: "pulumi:providers:aws", urn: urn("pulumi:providers:aws", "x") },
        },
      }),
      line({ diagnosticEvent: { severity: "debug", message: "seed=hush" } }),
      line({ diagnosticEvent: { severity: "error", message: "update failed\n" } }),
      "Updating (dev):",
    ];
    expect(silent.flatMap(read)).toEqual([]);
  });

  it("tells the stack's outputs, and what the engine complains of", () => {
    const stack = { op: "same", type: "pulumi:pulumi:Stack", urn: "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev" };
    const metadata = { ...stack, new: { outputs: { api: "http://api" } } };
    expect(read(line({ resOutputsEvent: { metadata } }))).toEqual([
      { kind: "outputs", outputs: { api: "http://api" } },
    ]);
    const diagnosticEvent = { severity: "error", message: "no\n", urn: machine.urn };
    expect(read(line({ diagnosticEvent }))).toEqual([
      { kind: "complaint", complaint: { name: "trio-dev-run-0", type: machine.type, message: "no" } },
    ]);
  });
});

describe("a locked stack", () => {
  const text = (host: string, pid: number) =>
    `error: the stack is currently locked by 1 lock(s). Either wait …\n  file:///s/locks/1.json: created by me@${host} (pid ${pid}) at 2026-11-23T17:22:56Z`;

  it("names its holder; other complaints have none", () => {
    expect(locksIn(text("box", 12))).toEqual([{ host: "box", pid: 12, since: "2026-11-23T17:22:56Z" }]);
    expect(locksIn("error: created by me@box (pid 12) at noon")).toEqual([]);
  });

  it("is abandoned only when its holder was a process of this machine that is gone", () => {
    const gone = () => false;
    expect(abandoned(locksIn(text(hostname(), 12)), gone)).toBe(true);
    expect(abandoned(locksIn(text("another", 12)), gone)).toBe(false);
    expect(abandoned(locksIn(text(hostname(), process.pid)))).toBe(false);
    expect(abandoned([], gone)).toBe(false);
  });
});

describe("a site", () => {
  it("is laid once: what a stack has been told stays, and nobody else reads it", async () => {
    const site = { folder: join(home, "laid"), stack: "me/tutti-trio/dev" };
    const facts = { project: "tutti-trio", main: "/p/index.ts", config: { "aws:profile": "mine" } };
    lay(site, facts);
    const settings = join(site.folder, "Pulumi.dev.yaml");
    await writeFile(settings, "encryptionsalt: x");
    lay(site, facts);
    expect(await readFile(settings, "utf8")).toBe("encryptionsalt: x");
    expect(JSON.parse(await readFile(join(site.folder, "Pulumi.yaml"), "utf8"))).toMatchObject({
      name: "tutti-trio",
      runtime: { options: { typescript: false } },
      main: "/p/index.ts",
    });
    expect((await stat(site.folder)).mode & 0o077).toBe(0);
  });

  it("has the Node that runs us in front, and the project's own tools last", () => {
    expect(pathFor("/usr/bin", "/tools")).toMatch(/^\/.*:\/usr\/bin:\/tools$/);
    expect(findEngine("/nowhere:/nowhere/else")).toBeUndefined();
  });
});

/** A site whose engine is a shell script: for what the real one does only on its worst days. */
async function scripted(script: string): Promise<Site> {
  const program = join(home, `engine-${Math.random()}`);
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  return { program, folder: home, stack: "dev", env: { PATH: process.env["PATH"] ?? "" } };
}

describe("an engine that does not do as it should", () => {
  it("is killed: that is the complaint, and what it had started ends too", async () => {
    const site = await scripted("sleep 600 & kill -9 $$");
    const { ok, complaints } = await run(site, "up");
    expect({ ok, complaints }).toEqual({ ok: false, complaints: [{ message: "the engine was killed" }] });
  });

  it("is locked by a process that is gone: the lock is taken away, once, and it is tried again", async () => {
    const lock = `error: the stack is currently locked by 1 lock(s). x\\n created by me@${hostname()} (pid 999999999) at now`;
    const site = await scripted(
      `[ "$1" = cancel ] && exec touch open; [ -e open ] || { printf '${lock}' >&2; exit 255; }`,
    );
    const told: unknown[] = [];
    const { ok } = await run(site, "up", { onAbandoned: (locks) => told.push(...locks) });
    expect([ok, told.length]).toEqual([true, 1]);
  });

  it("says no stack: there are no outputs; says anything else: that is the error", async () => {
    expect(await outputsOf(await scripted("echo \"error: no stack named 'dev' found\" >&2; exit 255"))).toBeUndefined();
    const refused = outputsOf(await scripted("echo 'error: passphrase must be set' >&2; exit 255"));
    await expect(refused).rejects.toThrow(EngineError);
  });

  it("is asked to stop by a signal, and gets the time to end in good order", async () => {
    const site = await scripted("trap 'echo ended; exit 3' INT; echo up; while :; do sleep 0.1; done");
    const lines: string[] = [];
    let stop = () => {};
    const { code } = await pulumi(site, [], {
      onStop: (given) => {
        stop = given;
      },
      onLine: (text) => {
        lines.push(text);
        if (text === "up") stop();
      },
    });
    expect([code, lines]).toEqual([3, ["up", "ended"]]);
  });
});

describe("a session", () => {
  it("ends with all that is in it, whatever group it has put itself into", async () => {
    const leader: ChildProcess = spawn("sh", ["-c", "set -m; sleep 600 & echo $!; wait"], {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const pid = await new Promise<number>((resolve) => leader.stdout?.once("data", (text) => resolve(Number(text))));
    const ended = new Promise((resolve) => leader.once("close", resolve));
    endSession(leader.pid ?? 0);
    await ended;
    // A zombie is no process any more, though its number is still taken.
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "State:\tX");
    expect(status).toMatch(/State:\s+[XZ]/);
  });
});
