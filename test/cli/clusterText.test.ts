import { describe, expect, it } from "vitest";
import { type About, explain } from "../../cli/cluster/explain.ts";
import { hurtLines, hurtRoles } from "../../cli/cluster/hurt.ts";
import { shortName, wordFor } from "../../cli/cluster/names.ts";
import { effectLines, nodeLines, nodesIn } from "../../cli/cluster/nodeLines.ts";
import { type ChangeRow, planLines, progress, tallyText } from "../../cli/cluster/progress.ts";
import { painter, processIo } from "../../cli/io.ts";
import { liveLine } from "../../cli/live.ts";
import { profile } from "../support/infra.ts";

const { aws } = profile("trio");
if (!aws) throw new Error("trio has no section aws");
const about: About = { cluster: "trio", stack: "dev", aws, folder: "/home/me/.tutti/clusters/trio" };
const because = (message: string, name?: string) =>
  explain({ complaints: [{ message, ...(name && { name, type: "aws:ec2/instance:Instance" }) }], locks: [] }, about);

describe("names", () => {
  it("are said without cluster and stack, which everybody knows", () => {
    expect(shortName("trio-dev-lead-0", "trio", "dev")).toBe("lead-0");
    expect(shortName("trio-dev", "trio", "me/tutti-trio/dev")).toBe("trio");
    expect(shortName("something-of-mine", "trio", "dev")).toBe("something-of-mine");
  });

  it("of kinds are a person's words; a kind that we do not know keeps its own", () => {
    expect(wordFor("aws:ec2/instance:Instance")).toBe("machine");
    expect(wordFor("aws:rds/instance:Instance")).toBe("aws:rds/instance:Instance");
  });
});

describe("a plan", () => {
  const row = (deed: ChangeRow["deed"], kind: string, name: string, properties: string[] = []): ChangeRow => ({
    ...{ deed, kind, name, properties },
    type: "",
  });

  it("has one line for each kind of thing, machines first, with what differs", () => {
    const rows = [
      row("create", "subnet", "a"),
      row("create", "subnet", "b"),
      row("change", "machine", "run-0", ["tags"]),
      row("replace", "machine", "lead-0"),
    ];
    expect(planLines(rows).map((line) => line.replace(/ +/g, " "))).toEqual([
      " ~ change machine run-0 (tags)",
      " ± make anew machine lead-0",
      " + create subnet × 2 a, b",
    ]);
  });

  it("of twenty machines names the first five", () => {
    const rows = Array.from({ length: 20 }, (_, i) => row("create", "machine", `run-${i}`));
    expect(planLines(rows)).toEqual([expect.stringMatching(/machine × 20 +run-0, .*run-4, and 15 more$/)]);
  });

  it("says which roles are missing meanwhile, and why", () => {
    const effect = { node: "work-0", kind: "restart", roles: ["dea", "stager"], because: ["another size"] } as const;
    expect(effectLines([effect])).toEqual([
      "  work-0 stops and starts again; meanwhile without dea, stager here",
      "      another size",
    ]);
  });
});

describe("nodes that stand", () => {
  it("are in columns; a stack without nodes has none", () => {
    const node = { id: "a-0", zone: "eu-central-1a", type: "t3.small", spot: false, volume: 20, image: "ami-1" };
    const place = { instance: "i-1", privateAddress: "10.0.0.1", publicAddress: "" };
    expect(nodeLines([{ ...node, ...place, roles: ["dea"] }])).toEqual([
      "  a-0  t3.small eu-central-1a  i-1  10.0.0.1    dea",
    ]);
    expect([nodesIn(undefined), nodesIn({ nodes: "none" })]).toEqual([[], []]);
  });
});

describe("progress", () => {
  it("tells of each resource when it is done, what differed, and what has failed", () => {
    const lines: string[] = [];
    const io = { ...processIo(false), note: (line: string) => void lines.push(line), paint: painter(false) };
    const show = progress(io, about);
    const change = {
      urn: "urn:1",
      type: "aws:ec2/vpc:Vpc",
      name: "trio-dev",
      deed: "change",
      properties: ["tags"],
    } as const;
    show.told({ kind: "begun", change });
    show.told({ kind: "done", change });
    show.told({ kind: "failed", change: { ...change, deed: "create" } });
    show.end();
    expect(lines[0]).toMatch(/^✓ network trio +0\.\d\d s {2}changed: tags$/);
    expect(lines[1]).toMatch(/^✗ network trio +\d\.\d\d s {2}not created$/);
  });
});

describe("the line of progress on a terminal", () => {
  const began = new Map([
    ["b", { name: "subnet b", since: 20_000 }],
    ["a", { name: "machine lead-0", since: 16_000 }],
  ]);

  it("says how many are done and what is awaited longest", () => {
    expect(tallyText({ done: 3, total: 9, began }, 30_000)).toBe("3/9  2 under way  longest: machine lead-0, 14s");
    expect(tallyText({ done: 3, total: undefined, began: new Map() }, 0)).toBe("3 done");
  });

  it("never counts more than the whole, although a replacement is told several times", () => {
    expect(tallyText({ done: 8, total: 9, began }, 30_000)).toMatch(/^8\/10 /);
  });

  it("is rewritten in place, makes way for lines that stay, and is gone at the end", () => {
    const written: string[] = [];
    const stderr = { columns: 40, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
    const real = processIo(false);
    const line = liveLine({ ...real, live: true, stderr, note: (text) => void written.push(`${text}\n`) });
    line.show(() => `first ${"x".repeat(80)}`);
    line.note("done");
    line.end();
    line.end();
    const live = `\r\u001b[Kfirst ${"x".repeat(33)}`;
    expect(written).toEqual([live, "\r\u001b[K", "done\n", live, "\r\u001b[K"]);
  });

  it("is not there where nobody sees it", () => {
    const written: string[] = [];
    const stderr = { write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
    const line = liveLine({ ...processIo(false), live: false, stderr, note: (text) => void written.push(text) });
    line.show(() => "3/9");
    line.note("done");
    line.end();
    expect(written).toEqual(["done"]);
  });
});

describe("roles that a change hurts", () => {
  const before = [
    { id: "lead-0", roles: ["core", "router"] },
    { id: "run-0", roles: ["dea"] },
    { id: "run-1", roles: ["dea"] },
  ] as const;

  it("are told with who is left, those first that nobody is left with, and what that means", () => {
    const effects = [
      { node: "run-0", kind: "restart", roles: ["dea"], because: ["another size"] },
      { node: "lead-0", kind: "replace", roles: ["core", "router"], because: ["another zone"] },
    ] as const;
    expect(hurtLines(hurtRoles(before, effects))).toEqual([
      "Roles that are away meanwhile:",
      "  core    away on lead-0; none is left: no messages and no changes; apps that run go on",
      "  router  away on lead-0; none is left: no request reaches the API or an app",
      "  dea     away on run-0; 1 of 2 stay",
    ]);
  });

  it("are none when nodes are new or changed while they run", () => {
    const effects = [
      { node: "run-2", kind: "create", roles: ["dea"], because: [] },
      { node: "run-0", kind: "change", roles: ["dea"], because: ["a larger disk"] },
    ] as const;
    expect(hurtRoles(before, effects)).toEqual([]);
  });
});

describe("what an engine complains of", () => {
  it("is one error with the resource's name and the next step, without the plugin's request ids", () => {
    const text =
      "creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 500, RequestID: 0a1b-2c, api error InsufficientInstanceCapacity: We currently do not have sufficient t3.small capacity in the Availability Zone you requested (eu-central-1a). You can currently get t3.small capacity by not specifying an Availability Zone in your request or choosing eu-central-1b, eu-central-1c.";
    const fault = because(text, "trio-dev-run-0");
    expect(fault.message).toMatch(/^machine run-0: .*sufficient t3\.small capacity/);
    expect(fault.message).not.toContain("RequestID");
    expect(fault).toMatchObject({
      code: "no_capacity",
      hint: expect.stringMatching(/try zone eu-central-1b, eu-central-1c/),
    });
  });

  it("names other zones of the cluster where EC2 names none", () => {
    const text =
      "InsufficientInstanceCapacity: insufficient t3.small capacity in the zone you requested (eu-central-1a)";
    expect(because(text).hint).toContain("try zone eu-central-1b");
  });

  it.each([
    ["no valid credential sources found", "bad_credentials"],
    ["UnauthorizedOperation: You are not authorized to perform this operation", "not_allowed"],
    ["Your query returned no results. Please change your search criteria", "no_image"],
    ["VcpuLimitExceeded: You have requested more vCPU capacity than your current limit", "quota"],
    ["PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions", "no_backend"],
    ["passphrase must be set with PULUMI_CONFIG_PASSPHRASE", "no_passphrase"],
    ["no resource plugin 'pulumi-resource-aws' found in the workspace", "plugin_missing"],
    ["failed to load checkpoint: EOF", "state_torn"],
    ["dial tcp: lookup ec2.xx.amazonaws.com: no such host", "unreachable"],
    ["something that nobody has heard of", "engine_failed"],
  ])("%s: is %s and has a hint", (message, code) => {
    expect(because(message)).toMatchObject({ code, hint: expect.stringMatching(/\w{4}/) });
  });

  it("is one line when forty resources say the same, and no trace of a program's stack", () => {
    const complaints = Array.from({ length: 40 }, (_, i) => ({
      name: `trio-dev-${i}`,
      message: "Boom\n    at run (/a/b.ts:1:2)",
    }));
    expect(explain({ complaints, locks: [] }, about).message).toMatch(/^ ?39: Boom\n {2}\(and 39 more of the kind\)$/);
  });

  it("of a stack that somebody holds, is who and since when", () => {
    const lock = { host: "elsewhere", pid: 7, since: "2026-01-01T00:00:00Z" };
    const fault = explain({ complaints: [{ message: "locked" }], locks: [lock] }, about);
    expect(fault).toMatchObject({
      code: "locked",
      message: expect.stringMatching(/dev: pid 7 on elsewhere, since 2026/),
    });
  });
});
