import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { census, leftovers, machine } from "../support/ec2Eyes.ts";
import { processesWith } from "../support/offlineCluster.ts";
import { type Ground, ground, type Stack, stack } from "../support/pulumiEngine.ts";
import { until } from "../support/until.ts";

const program = fileURLToPath(new URL("program", import.meta.url));

let there: Ground;
let mine: Stack;
beforeEach(async () => {
  there = await ground();
  mine = await stack({ ground: there, program });
  await mine.set("canary", "canary-77", "secret");
});
afterEach(async () => {
  await mine.gone();
  await there.stop();
});

async function destroyed(): Promise<string[]> {
  await mine.good("destroy", "--yes", "--skip-preview");
  return await leftovers(there);
}

/** What the engine says when it fails: a screen, without a trace of code, without a secret. */
async function refused(): Promise<string> {
  const { code, text } = await mine.pulumi(up());
  expect(code).not.toBe(0);
  expect(text).not.toMatch(/\n\s+at /);
  expect(text).not.toContain("canary-77");
  expect(text.split("Diagnostics:")[1]?.split("\n").length).toBeLessThan(30);
  return text;
}

const up = (...more: string[]) => ["up", "--yes", "--skip-preview", ...more];

/** Writes after which an engine's death is the worst: something costs money or has a name, and the state knows nothing. */
const worst = new Set([
  "CreateVpc",
  "CreateBucket",
  "CreateRole",
  "AllocateAddress",
  "RunInstances",
  "PutBucketTagging",
]);
/** Every write in turn takes minutes; every fourth and the worst of them do as a rule. */
const stride = process.env["TUTTI_EVERY_WRITE"] ? 1 : 4;

/** Kills the engine when a write has been done and before it hears of it. Resolves to the write's action. */
async function upKilledAtWrite(spared: readonly string[]): Promise<string | undefined> {
  let killed: string | undefined;
  let engine: ChildProcess | undefined;
  there.api.faults.clear();
  there.api.faults.onDone(async ({ nth, action }) => {
    // What only sets something is done again by the next run: killed there each time, no run would come further.
    const again = spared.at(-1) === action ? 1 : 0;
    const now = nth >= stride + again || (worst.has(action) && !spared.includes(action));
    if (nth === 0 || !now || killed || !engine) return;
    killed = action;
    const gone = once(engine, "exit");
    engine.kill("SIGKILL");
    await gone;
  });
  const { code, text } = await mine.pulumi(up("--parallel", "1"), (process) => (engine = process));
  there.api.faults.onDone(undefined);
  if (killed)
    await until(async () => (await processesWith(mine.directory)).length === 0, { what: "its program is gone" });
  if (!killed && code !== 0) throw new Error(text);
  return killed;
}

describe("an engine that is killed", { timeout: 900_000 }, () => {
  it("after one write after another ends, run again, with one of everything", async () => {
    const killedAt: string[] = [];
    for (;;) {
      const action = await upKilledAtWrite(killedAt);
      if (!action) break;
      killedAt.push(action);
      await mine.unlock();
    }
    expect(killedAt).toEqual(expect.arrayContaining([...worst]));
    expect(Object.values(await census(there))).toEqual(Object.keys(await census(there)).map(() => 1));
    expect(await mine.good("up", "--yes", "--skip-preview")).toMatch(/Resources:\s+\d+ unchanged/);
    expect(await destroyed()).toEqual([]);
  });
});

describe("an API with a bad day", { timeout: 120_000 }, () => {
  it("that throttles is asked again, later", async () => {
    for (const action of ["CreateVpc", "RunInstances", "PutObject", "CreateRole"])
      there.api.faults.inject({ action, fault: { kind: "throttle" }, times: 3 });
    await mine.good(...up());
    expect(there.api.faults.counts.get("RunInstances")).toBe(4);
    expect(await destroyed()).toEqual([]);
  });

  it("that does a thing and says it failed makes one of it all the same", async () => {
    for (const action of [
      "CreateVpc",
      "CreateSubnet",
      "RunInstances",
      "AllocateAddress",
      "CreateRole",
      "ImportKeyPair",
    ])
      there.api.faults.inject({ action, fault: { kind: "done and lost" } });
    await mine.good(...up());
    expect(Object.values(await census(there))).toEqual(Object.keys(await census(there)).map(() => 1));
  });

  // One stack for three refusals: each comes a little further than the one before it.
  it("that refuses says what to do, on one screen, and goes on when it no longer does", async () => {
    const message = "AWS was not able to validate the provided access credentials";
    const fault = { kind: "error", status: 401, code: "AuthFailure", message } as const;
    there.api.faults.inject({ action: "CreateVpc", fault });
    expect(await refused()).toMatch(/AuthFailure: AWS was not able to validate[\s\S]*hint: check the credentials/);

    await mine.set("ami", "ami-00000000000000000");
    const noImage = /creating aws:ec2\/instance:Instance: InvalidAMIID[\s\S]*hint: name an image that this region has/;
    expect(await refused()).toMatch(noImage);
    await mine.good("config", "rm", "ami");

    const capacity = { kind: "capacity", type: "t3.small", zone: "eu-central-1a" } as const;
    there.api.faults.inject({ action: "RunInstances", fault: capacity });
    const scarce = await refused();
    expect(scarce).toMatch(/InsufficientInstanceCapacity: .* sufficient t3.small capacity/);
    const elsewhere =
      "t3.small is not to be had in eu-central-1a now: try zone eu-central-1b or eu-central-1c, or type ";
    expect(scarce).toContain(elsewhere);
    expect(scarce).toMatch(/or type .*t3a\.small/);

    await mine.good(...up());
    await machine(there);
  });
});
