import type { ChildProcess } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { awsEnv, type MadeCluster, makeCluster } from "../support/awsClusters.ts";
import { census } from "../support/ec2Eyes.ts";
import { type Ground, ground } from "../support/pulumiEngine.ts";
import { type Person, person, type RunOptions } from "../support/tutti.ts";

let there: Ground;
let me: Person;
let trio: MadeCluster;
beforeAll(async () => {
  there = await ground();
  me = await person();
  trio = await makeCluster(there, { cluster: "trio" });
});
afterAll(async () => {
  await me?.gone();
  await there?.stop();
});
afterEach(() => there.api.faults.clear());

const say = (line: string, { env, ...options }: RunOptions = {}) =>
  me.tutti(line.split(" "), { env: { ...awsEnv(there), ...env }, ...options });
const small = [{ id: "lead-0", roles: ["core", "controller", "router"] }] as const;
const example = (name: string) => fileURLToPath(new URL(`../../examples/${name}/cluster.yaml`, import.meta.url));

describe("nodes as AWS knows them", { timeout: 60_000 }, () => {
  it("are listed without a controller: roles, state, addresses, machine", async () => {
    const { code, out } = await say("node list --from ec2");
    expect(code).toBe(0);
    expect(out).toMatch(/^NODE +CLUSTER +STATE +ROLES/);
    expect(out).toMatch(
      /\nlead-0 +trio\/dev +running +core, controller, health, router +t3\.small +eu-central-1a +10\.20\.\S+ +[\d.]+ +i-\w+ /,
    );
    expect(out).toMatch(/\nrun-0 +trio\/dev +running +dea +t3\.small spot /);
  });

  it("are an array with --json, of one cluster when it is named", async () => {
    const ran = await say("node list --from ec2 --cluster trio --json");
    const { nodes } = ran.json() as unknown as { nodes: { node: string; instance: string; roles: string[] }[] };
    expect(Object.fromEntries(nodes.map(({ node, instance }) => [node, instance]))).toEqual(trio.instances);
    expect((await say("node list --from ec2 --cluster none")).out).toBe("no machine of a cluster is there\n");
  });

  it("have a console, and a name that is misspelt is found in what there is", async () => {
    expect((await say("node console lead-0")).err).toContain("lead-0 (i-");
    const { code, err } = await say("node console laed-0");
    expect(code).toBe(1);
    expect(err).toBe("error: no machine is called laed-0\nhint: did you mean lead-0?\n");
  });

  it("are explained by their console where there is no controller to ask; who else was asked is said", async () => {
    const { code, err } = await say("node explain lead-0 --from console");
    expect(code).toBe(1);
    expect(err).toMatch(
      /error: nobody can tell of lead-0:\n {2}controller: no cluster is targeted\n {2}console: nothing .* on it yet.*\nhint: /,
    );
    const misspelt = await say("node explain laed-0 --from console");
    expect(misspelt.err).toContain("console: no machine is called laed-0");
  });

  it("that have one name in two clusters want the cluster or the instance", async () => {
    await makeCluster(there, { cluster: "other", expires: "2020-01-01", nodes: small });
    expect((await say("node console lead-0")).err).toContain("there is a lead-0 in other/dev, trio/dev");
    expect((await say(`node console ${trio.instances["lead-0"]}`)).code).toBe(0);
    expect((await say("sweep --expired --yes")).code).toBe(0);
  });
});

describe("sweep", { timeout: 120_000 }, () => {
  const expired = () => makeCluster(there, { cluster: "branch", expires: "2020-01-01", nodes: small });

  it("has nothing to do where nothing is expired and everything belongs to somebody", async () => {
    const { code, out } = await say("sweep");
    expect({ code, out }).toEqual({ code: 0, out: "nothing is expired, and everything belongs to somebody\n" });
  });

  it("without a terminal shows what would go with reasons and prices, removes nothing, and exits with 2", async () => {
    await expired();
    const before = await census(there);
    const { code, out, err } = await say("sweep");
    expect(code).toBe(2);
    expect(out).toMatch(
      /^WHAT +ID +OF +OWNER +WHY +A MONTH\ninstance +i-\w+ +branch\/dev lead-0 +me@example\.com +expired/,
    );
    expect(out).toMatch(/\n\n13 things, about \$\d+\.\d\d a month\n$/);
    expect(out).not.toContain("trio");
    expect(err).toBe("nothing was removed; to remove it: the same with --yes\n");
    expect(await census(there)).toEqual(before);
    const { doomed, removed } = (await say("sweep --json")).json() as unknown as {
      doomed: object[];
      removed: object[];
    };
    expect([doomed.length, removed.length]).toEqual([13, 0]);
  });

  it("with --yes removes all of it and nothing else, also after it was killed in the middle", async () => {
    for (const nth of [1, 4, 8]) {
      const killed = { during: (child: ChildProcess) => kill(child, nth) };
      expect((await say("sweep --expired --yes", killed)).code).toBe(null);
      there.api.faults.clear();
    }
    const ran = await say("sweep --expired --yes --json");
    expect(ran.code).toBe(0);
    expect(ran.json()).toMatchObject({ ok: true, kept: [] });
    expect((await say("node list --from ec2 --json")).json()).toMatchObject({ nodes: { length: 3 } });
    expect(await census(there)).toMatchObject({ machines: 3, vpcs: 1, groups: 2, roles: 1, buckets: 1, keys: 1 });
  });

  it("says what could not go and exits with 1; the next one takes it", async () => {
    await expired();
    const refused = { kind: "error", status: 403, code: "AccessDenied", message: "no iam:DeleteRole" } as const;
    there.api.faults.inject({ action: "DeleteRole", fault: refused });
    const { code, out, err } = await say("sweep --expired --yes");
    expect(code).toBe(1);
    expect(err).toContain("kept role branch-dev: these AWS credentials may not do that (removing role branch-dev: ");
    expect(out).toMatch(/removed 12 things; 1 thing could not go: run it again\n$/);
    expect((await say("sweep --expired --yes")).out).toMatch(/removed 1 thing\n$/);
  });

  it("takes everything of a cluster only when it is named, and orphans of stacks that do not exist", async () => {
    expect((await say("sweep --everything --yes")).code).toBe(64);
    await makeCluster(there, { cluster: "lost", stack: "gone", nodes: small });
    expect((await say("sweep --orphans --stacks dev,prod")).out).toContain("there is no stack gone");
    expect((await say("sweep --cluster lost --everything --yes --json")).json()).toMatchObject({ ok: true, kept: [] });
    expect(await census(there)).toMatchObject({ machines: 3, vpcs: 1 });
  });

  /** As a job that dies: no farewell, in the middle of the nth write. */
  function kill(child: ChildProcess, nth: number): void {
    there.api.faults.onDone((call) => void (call.nth === nth && child.kill("SIGKILL")));
  }
});

describe("adopt", { timeout: 60_000 }, () => {
  it("prints the setting with which a stack takes in its machines, and their network", async () => {
    const { code, out } = await say("adopt trio");
    expect(code).toBe(0);
    const value = /pulumi config set tutti:adopt '(.*)'/.exec(out)?.[1] ?? "";
    expect(JSON.parse(value)).toEqual(trio.instances);
    expect(out).toContain(`network: { vpc: ${trio.vpc}, subnets: { a: ${trio.subnet} }, cores: { lead-0: 10.20.`);
    expect((await say("adopt trio --json")).json()).toMatchObject({ ok: true, adopt: trio.instances, left: [] });
  });

  it("says so where nothing is to adopt", async () => {
    expect((await say("adopt nobody")).err).toMatch(/^error: no machine of cluster nobody .*\nhint: is it another/);
  });
});

describe("cost", () => {
  it("shows the price of a cluster.yaml without asking AWS", async () => {
    const { code, out } = await say(`cost ${example("trio")}`, { env: { AWS_ENDPOINT_URL: "http://127.0.0.1:1" } });
    expect(code).toBe(0);
    expect(out).toMatch(/\na month +\$\d+\.\d\d\n\nestimate with prices of \d{4}-\d\d-\d\d, .*traffic/);
  });

  it("fails over the budget with the amount, and keeps it to the cent", async () => {
    const { total } = (await say(`cost ${example("trio")} --json`)).json() as unknown as { total: number };
    expect((await say(`cost ${example("trio")} --budget ${total}`)).code).toBe(0);
    const over = await say(`cost ${example("trio")} --budget ${(total - 0.01).toFixed(2)} --json`);
    expect(over.code).toBe(1);
    expect(over.json()).toMatchObject({ ok: false, total, over: 0.01 });
    expect(over.err).toMatch(/over budget: \$.*\nhint: the dearest: work \(1 × t3.medium\) \$\d/);
  });

  it("wants an amount and a spec that is there", async () => {
    expect(await say(`cost ${example("trio")} --budget lots`)).toMatchObject({
      code: 64,
      err: 'error: --budget: "lots" is no amount\nhint: dollars a month, such as 100 or 99.50\n',
    });
    expect((await say("cost nowhere.yaml")).err).toContain("hint: examples are in examples/");
  });
});

describe("an account that cannot be asked", { timeout: 60_000 }, () => {
  it.each([
    ["without a region", { AWS_REGION: "" }, "no AWS region is known", "--region"],
    [
      "without credentials",
      { AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" },
      "there are no AWS credentials here",
      "aws configure",
    ],
    [
      "where nothing answers",
      { AWS_ENDPOINT_URL: "http://127.0.0.1:1" },
      "nothing answers at AWS's address",
      "--region",
    ],
  ])("%s is named with what to do, on two lines", async (_, env, cause, hint) => {
    const { code, out, err } = await say("sweep", { env });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err.split("\n")).toEqual([expect.stringContaining(cause), expect.stringContaining(hint), ""]);
  });

  it("is not the one of this machine, as long as nothing stands there", async () => {
    expect((await say("node list --from ec2 --offline")).err).toMatch(/^error: no offline EC2 runs on this machine/);
  });

  it("may be the one of this machine, in whatever region the cluster stands", async () => {
    await mkdir(join(me.home, "offline"), { recursive: true });
    const file = join(me.home, "offline", "ground.json");
    await writeFile(file, JSON.stringify({ pid: process.pid, url: there.api.url }));
    const ran = await say("node list --from ec2 --offline --json", { env: { AWS_ENDPOINT_URL: "http://127.0.0.1:1" } });
    expect(ran.json()).toMatchObject({ ok: true, nodes: { length: 3 } });
  });
});
