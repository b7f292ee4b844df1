import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { engineOn } from "../../cli/cluster/ground.ts";
import { machines } from "../support/ec2Eyes.ts";
import { type OfflineCluster, offlineCluster } from "../support/offlineCluster.ts";
import type { Ran } from "../support/tutti.ts";

// Bad days of `tutti up`: one screen, the cause, the next step, no stack trace.

let our: OfflineCluster;
beforeAll(async () => {
  our = await offlineCluster();
});
afterAll(() => our?.gone());
beforeEach(async () => {
  our.there.api.faults.clear();
  await our.write("one");
});

function shortAndClear({ code, err }: Ran): string {
  expect(code).toBe(1);
  expect(err).toMatch(/^hint: \S/m);
  expect(err).not.toMatch(/^\s+at |unhandled|node_modules/m);
  const complaint = err.slice(err.indexOf("error: "));
  expect(complaint.split("\n").length).toBeLessThan(12);
  expect(complaint.length).toBeLessThan(2000);
  return complaint;
}

describe("before the engine is started", () => {
  it("shows every problem of a spec, with its path", async () => {
    await our.edit((text) =>
      text.replace("region: eu-central-1", "region: Frankfurt").replace("volume: 30", "volume: 1"),
    );
    const complaint = shortAndClear(await our.tutti("up", ["--yes"]));
    expect(complaint).toMatch(/aws\.region: a region such as eu-central-1/);
    expect(complaint).toMatch(/nodes\[0\]\.volume: .*8/);
  });

  it("says that the region is missing", async () => {
    await our.edit((text) => text.replace(/ {2}region: .*\n/, ""));
    expect(shortAndClear(await our.tutti("preview"))).toContain("aws.region: is missing");
  });

  it("names the file that is not there", async () => {
    const ran = await our.me.tutti(["up", "/nowhere/cluster.yaml", "--offline", "--yes"]);
    expect(shortAndClear(ran)).toContain("/nowhere/cluster.yaml is not there");
  });

  it("says that a spec without the section aws is for other machines", async () => {
    const solo = join(our.me.home, "solo.yaml");
    await writeFile(
      solo,
      "name: a\ndomain: a.test\nnodes:\n  - { name: all, roles: [core, controller, router, dea] }\n",
    );
    expect(shortAndClear(await our.me.tutti(["preview", solo, "--offline"]))).toMatch(
      /no section aws[\s\S]*tutti solo up/,
    );
  });

  it("says which command makes the bundle that is missing", async () => {
    const complaint = shortAndClear(await our.tutti("up", ["--yes", "--bundle", "/nowhere/agent.tar.gz"]));
    expect(complaint).toMatch(
      /no agent bundle at \/nowhere[\s\S]*hint: make it: node tools\/bundle\.mjs --architecture x64/,
    );
  });

  it("names the public key that is missing", async () => {
    const env = { TUTTI_SSH_KEY: "/nowhere/key.pub" };
    expect(shortAndClear(await our.tutti("up", ["--yes"], { env }))).toMatch(
      /\/nowhere\/key.pub is not there\nhint: make one \(ssh-keygen -t ed25519 -f \/nowhere\/key\)/,
    );
  });

  it("says how to get the engine where there is none", () => {
    expect(() => engineOn("/nowhere:/nowhere/else")).toThrow(
      expect.objectContaining({ code: "engine_missing", hint: expect.stringContaining("node bin/setup.mjs") }),
    );
  });

  it("asks, and without a terminal says what to type instead", async () => {
    const ran = await our.tutti("up");
    expect(ran).toMatchObject({ code: 64, err: expect.stringContaining("--yes") });
    expect((await our.tutti("destroy")).code).toBe(64);
  });
});

describe("when EC2 refuses", { timeout: 90_000 }, () => {
  it("says of wrong credentials where to look, once and not for every resource", async () => {
    const message = "AWS was not able to validate the provided access credentials";
    our.there.api.faults.inject({
      action: "*",
      times: 10_000,
      fault: { kind: "error", status: 401, code: "AuthFailure", message },
    });
    const ran = await our.tutti("up", ["--yes", "--json"]);
    const complaint = shortAndClear(ran);
    expect(complaint.match(/not able to validate/g)).toHaveLength(1);
    expect(complaint).toContain("hint: check the credentials: AWS_PROFILE");
    expect(ran.json()).toMatchObject({ ok: false, error: { code: "bad_credentials" } });
  });

  it("says of an image that it is not there, in which region and what would be", async () => {
    await our.edit((text) =>
      text.replace("region: eu-central-1", "region: eu-central-1\n  image: ami-0123456789abcdef0"),
    );
    expect(shortAndClear(await our.tutti("up", ["--yes"]))).toMatch(
      /hint: aws.image: ami-0123456789abcdef0 is not in eu-central-1/,
    );
  });

  it("says of a type that a zone has not, which zone and type to try", async () => {
    const fault = { kind: "capacity", type: "t3.medium", zone: "eu-central-1a" } as const;
    our.there.api.faults.inject({ action: "RunInstances", times: 100, fault });
    const complaint = shortAndClear(await our.tutti("up", ["--yes"]));
    expect(complaint).toMatch(/machine all-0: .*do not have sufficient t3\.medium capacity/);
    expect(complaint).toMatch(/hint: .*try zone eu-central-1b.* type .*t3a\.medium(?!.*t4g)/);
  });

  it("asks again when it is throttled, and stands in the end", async () => {
    our.there.api.faults.inject({ action: "*", times: 5, fault: { kind: "throttle" } });
    const { nodes } = await our.good("up");
    expect(nodes).toHaveLength(1);
    expect(await machines(our.there)).toHaveLength(1);
    await our.good("destroy");
  });
});
