import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { filesOf, filesWith, rolesFrom, unfit } from "../../../cli/node/birth.ts";
import { nameFrom, readFacts } from "../../../cli/node/facts.ts";
import { boot, deliver, install, look, settle } from "../../../cli/node/steps.ts";
import { claim } from "../../support/attachable.ts";
import { checker } from "../../support/checkers.ts";

const bundle = {
  file: "",
  version: "0.1.0",
  sha256: "ab".repeat(32),
  bytes: Buffer.from("x"),
  name: "0.1.0-abababababab",
};
const facts = readFacts(
  "architecture x86_64\nhost Shelf-3.example.com\nmachine 0123\naddress 10.0.0.7\nfree 123456\nbundle a\nbundle b\ncurrent b\n",
);
const newcomer = {
  ...{ cluster: "trio", domain: "apps.example.com", beat: 1000, crashLifetime: 60 },
  ports: { router: 80, controller: 9022, nats: 4222, routes: 6222, files: 12345, instances: { first: 1, last: 2 } },
};
const claimed = { node: "shelf-3", roles: ["dea"], claim, cores: ["10.0.0.4"], ca: "PEM", newcomer };
const files = () => filesOf({ claimed, facts, bundle, zone: "cellar" });

describe("steps on a machine", () => {
  it("carry secrets on standard input only: everybody there can read a command line", () => {
    const step = install("", files());
    expect(step.command).not.toContain(claim.secret);
    const written = Buffer.from(step.stdin ?? "")
      .toString()
      .split("\n")
      .map((line) => line.split(" "));
    expect(written.map(([path, mode]) => [path, mode]).slice(0, 2)).toEqual([
      ["/etc/tutti/birth.json", "0600"],
      ["/usr/local/lib/tutti/boot", "0755"],
    ]);
    expect(Buffer.from(written[0]?.[2] ?? "", "base64").toString()).toContain(claim.secret);
  });

  it("become root by themselves, unless the machine is a directory", () => {
    expect(look("").command).toContain("exec sudo -n");
    expect(look("/tmp/root").command).not.toContain("sudo");
    expect(boot("", 300).command).toContain("usr/local/lib/tutti/boot");
    expect(settle("", "back", ["/a b"]).command).toContain("/a b");
  });

  it("bring a bundle as text, with what is needed to check it", () => {
    const { command, stdin } = deliver("", { name: "n", sha256: "cafe", architecture: "arm64" }, Buffer.from([0, 255]));
    expect(command).toMatch(/'n' 'cafe' 'arm64'|n.*cafe.*arm64/);
    expect(stdin).toBe("AP8=");
  });

  it("are scripts without a fault that shellcheck knows", async () => {
    const scripts = globSync(fileURLToPath(new URL("../../../cli/node/*.sh", import.meta.url)));
    expect(scripts.length).toBeGreaterThan(5);
    await promisify(execFile)(checker("shellcheck"), ["-s", "sh", ...scripts]);
  });
});

describe("the birth of a machine that is attached", () => {
  it("is what user data would have told it, and the facts that EC2 would have", () => {
    const text = (path: string) => files().find((file) => file.path === path)?.text ?? "";
    expect(JSON.parse(text("/etc/tutti/birth.json"))).toMatchObject({
      node: { id: "shelf-3", cluster: "trio", roles: ["dea"], index: 3, zone: "cellar" },
      ...{ cores: ["10.0.0.4"], ca: "PEM", claim, region: "", baked: false },
    });
    expect(JSON.parse(text("/etc/tutti/facts.json"))).toEqual({
      ...{ address: "10.0.0.7", instance: "0123", zone: "cellar", type: "machine" },
    });
    expect(text("/usr/local/lib/tutti/boot")).toContain("sha256='abab");
  });

  it("keeps all but the bundle when the agent is upgraded", () => {
    const before = files().find(({ mode }) => mode === "0600")?.text ?? "";
    const after = filesWith(before, { version: "0.2.0", sha256: "cd".repeat(32) });
    const { bundle: now, ...rest } = JSON.parse(after[0]?.text ?? "");
    expect(now).toMatchObject({ version: "0.2.0", sha256: "cd".repeat(32) });
    expect(rest).toEqual({ ...JSON.parse(before), bundle: undefined });
    expect(after.map(({ path }) => path)).not.toContain("/etc/tutti/facts.json");
    expect(() => filesWith('{"claim": "hush"}', bundle)).toThrow(/^\/etc\/tutti\/birth\.json is of a version/);
  });
});

describe("a machine", () => {
  it("tells what it is; its name is its own first word, as far as nodes may be called so", () => {
    expect(facts).toMatchObject({
      architecture: "x64",
      machine: "0123",
      free: 123456,
      bundles: ["a", "b"],
      current: "b",
    });
    expect(["Shelf-3.example.com", "my_box", "-", "ÄÖ"].map(nameFrom)).toEqual(["shelf-3", "my-box", "", ""]);
  });

  it.each([
    ["architecture riscv64", /its processor is riscv64/],
    ["architecture x86_64\nlacks systemctl\nlacks flock", /it has no systemctl, flock/],
    ["architecture x86_64\nmachine 1", /no way to the cluster's cores/],
    ["architecture x86_64\nmachine 1\naddress 1.2.3.4\nnode a-0\ncluster other", /the node a-0 of the cluster other/],
    ["architecture x86_64\nmachine 1\naddress 1.2.3.4\nnode a-0\ncluster trio", /it is a node already: a-0/],
  ])("that says %j cannot become a node", (text, why) => {
    const fault = unfit(readFacts(text), { node: "shelf-0", cluster: "trio" });
    expect(fault?.message).toMatch(why);
    expect(fault?.hint).toMatch(/\w/);
  });

  it("that is fit is told nothing", () => {
    expect(unfit(facts, { node: "shelf-0", cluster: "trio" })).toBeUndefined();
    expect(rolesFrom(["dea,stager", "dea"])).toEqual(["dea", "stager"]);
  });
});
