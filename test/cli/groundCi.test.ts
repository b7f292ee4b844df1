import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseCluster } from "../../roles/spec.ts";
import { toolsBin } from "../support/tools.ts";
import { type Person, person } from "../support/tutti.ts";

const example = (path: string) => fileURLToPath(new URL(`../../examples/ci/${path}`, import.meta.url));

let me: Person;
let env: Record<string, string>;
beforeAll(async () => {
  if (!existsSync(`${toolsBin}/pulumi`)) throw new Error('pulumi is not set up: run "node bin/setup.mjs"');
  me = await person();
  const bundle = join(me.home, "tutti-agent-0.1.0-x64-abababab.tar.gz");
  await writeFile(bundle, "the agent");
  const { PATH = "", HOME = "" } = process.env;
  env = { PATH, HOME, TMPDIR: me.home, TUTTI_HOME: me.home, TUTTI_BUNDLE: bundle };
  Object.assign(env, { BRANCH: "feature/Log_In", OWNER: "me@example.com", HOURS: "2" });
});
afterAll(async () => {
  await me?.tutti(["offline", "down"], { env });
  await me?.gone();
});

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

/** As a job runs it, with all it starts in a group of its own, so that it can die as a whole. */
function job(words: string, during?: (child: ChildProcess, text: string) => void): Promise<Ended> {
  const args = [example("environment.mjs"), ...words.split(" "), "--offline"];
  const child = spawn(process.execPath, args, { env, detached: true });
  let text = "";
  const take = (chunk: string) => {
    text += chunk;
    during?.(child, text);
  };
  child.stdout.setEncoding("utf8").on("data", take);
  child.stderr.setEncoding("utf8").on("data", take);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => setImmediate(() => resolve({ code, text })));
  });
}

async function left(): Promise<{ nodes: { node: string; owner: string; expires: string }[]; things: number }> {
  const { nodes } = (await me.tutti("node list --from ec2 --offline --json".split(" "), { env })).json();
  const all = "sweep --cluster ci-feature-log-in --everything --offline --json".split(" ");
  const { doomed = [] } = (await me.tutti(all, { env })).json() as { doomed?: unknown[] };
  return { nodes: nodes ?? [], things: doomed.length };
}

// One branch and one life: each test goes on where the one before it ended.
describe("a cluster for a branch, made by a job", { timeout: 180_000 }, () => {
  it("has the branch's name, its owner, and an end, and is tried", async () => {
    const { code, text } = await job("up smoke");
    expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining("the machines run") });
    const spec = parseCluster(readFileSync(join(me.home, "tutti-ci-feature-log-in/cluster.yaml"), "utf8"));
    expect(spec).toMatchObject({ name: "ci-feature-log-in", domain: "ci-feature-log-in.example.com" });
    const { nodes } = await left();
    expect(nodes.map(({ node, owner }) => `${node} ${owner}`)).toEqual([
      "lead-0 me@example.com",
      "work-0 me@example.com",
    ]);
    const hours = (Date.parse(nodes[0]?.expires ?? "") - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(1.8);
    expect(hours).toBeLessThan(2.01);
  });

  it("is swept away by its tags when nobody removes it, and made anew for the next push", async () => {
    const sweep = "sweep --cluster ci-feature-log-in --everything --yes --offline".split(" ");
    expect(await me.tutti(sweep, { env })).toMatchObject({ code: 0 });
    expect(await left()).toEqual({ nodes: [], things: 0 });
    expect(await job("up")).toMatchObject({ code: 0 });
    expect((await left()).nodes).toHaveLength(2);
  });

  it("is removed without a trace", async () => {
    expect(await job("down")).toMatchObject({ code: 0 });
    expect(await left()).toEqual({ nodes: [], things: 0 });
  });

  it("leaves nothing that a sweep would not take when the job dies in the middle", async () => {
    const died = await job("up", (child, text) => {
      if (/network .*created/.test(text) && child.pid) process.kill(-child.pid, "SIGKILL");
    });
    expect(died.code).not.toBe(0);
    const sweep = "sweep --cluster ci-feature-log-in --everything --yes --offline".split(" ");
    // The engine outlives the job by a moment, and may still make something behind a sweep's back.
    const swept = async () => {
      await me.tutti(sweep, { env });
      return left();
    };
    await expect.poll(swept, { timeout: 90_000, interval: 2000 }).toEqual({ nodes: [], things: 0 });
  });

  it("has its budget looked at before anything is made", async () => {
    env["BUDGET"] = "10";
    const { code, text } = await job("up");
    expect(code).toBe(1);
    expect(text).toContain("over budget: $");
    expect(text).toMatch(/error: tutti cost ended with 1\n$/);
    expect(text).not.toContain("tutti up");
  });
});

describe("the workflow", () => {
  it("runs only acts that the script knows, and sweeps by the clock", () => {
    const text = readFileSync(example("workflow.yml"), "utf8");
    const { jobs } = parse(text) as { jobs: Record<string, { steps: { run?: string; if?: string }[] }> };
    const runs = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
    expect(runs).toContain("node bin/tutti.mjs sweep --expired --yes --region all");
    expect(runs.filter((run) => run.includes("environment.mjs"))).toEqual([
      ...["node examples/ci/environment.mjs up smoke", "node examples/ci/environment.mjs down"],
      "node examples/ci/environment.mjs down",
    ]);
  });
});
