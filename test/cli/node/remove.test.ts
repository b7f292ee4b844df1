import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Attachable, attachable, up } from "../../support/attachable.ts";
import { smallBundle } from "../../support/cloudinit.ts";

// One life: each test goes on where the one before it ended.

let our: Attachable;
beforeAll(async () => {
  our = await attachable();
  our.others.push(up("run-0", ["dea"]));
  const agent = our.bundle(smallBundle());
  await our.tutti(`node attach ${our.address} --role dea --name shelf-0 --address 127.0.0.1 --bundle ${agent}`);
});
afterAll(() => our?.gone());

const machinesFile = () => readFileSync(join(our.me.home, "machines.json"), "utf8");

describe("the list of nodes", { timeout: 30_000 }, () => {
  it("is one from who is heard and who was let in, with their machines", async () => {
    our.members.push({ id: "shelf-0", roles: ["dea"], address: "127.0.0.1", instance: "0123abcd", instances: 2 });
    our.members.push({ id: "gone-0", roles: ["dea"], address: "10.0.0.9", instance: "beef" });
    our.members.push({ id: "old-0", roles: ["dea"], address: "", instance: "cafe", removed: 1 });
    const { out } = await our.tutti("node list");
    expect(out).toMatch(
      /^NODE +ADDRESS +STATE +ROLES +SEEN +VERSION +MACHINE\ngone-0 +10\.0\.0\.9 +silent +dea +- +- +beef\n/,
    );
    expect(out).toMatch(/\nlead-0 +127\.0\.0\.1 +up +core, controller, router +(just now|\d+s ago) +0\.1\.0 +-\n/);
    expect(out).toMatch(/\nold-0 +removed .*\n(.*\n)*shelf-0 +127\.0\.0\.1 +up +dea .* 0123abcd\n$/);
  });
});

describe("explain", { timeout: 60_000 }, () => {
  it("asks the machine of a node that is heard, where it was attached", async () => {
    const ran = await our.tutti("node explain shelf-0 --json");
    expect(ran.json()).toMatchObject({ ok: true, from: "ssh", state: "ready", steps: { length: 8 }, tried: [] });
    const { out } = await our.tutti("node explain shelf-0");
    expect(out).toMatch(
      /^shelf-0 is ready \(says the machine itself, agent 0\.1\.0-\w{12}\)\n\nSTEP +END +TIME +INPUT +AT\nunits +ok/,
    );
    expect(out).toMatch(/\nCOMPONENT +STATE .*\ndea +ready/);
  });

  it("takes the controller's word where the machine cannot be asked, and says why", async () => {
    const { code, out, err } = await our.tutti("node explain run-0 --host nobody@127.0.0.1:1");
    expect(code).toBe(0);
    expect(err).toMatch(/^note: ssh: ssh port closed: 127\.0\.0\.1 port 1/);
    expect(out).toMatch(/^run-0 is ready \(says the controller\)/);
  });

  it("of a machine that nobody knows names who was asked, or the name that was meant", async () => {
    expect((await our.tutti("node explain shefl-0 --from controller")).err).toMatch(
      /error: there is no node shefl-0 \(controller: it has not heard of it\)\nhint: did you mean shelf-0\?/,
    );
    const { code, err } = await our.tutti(`node explain ghost-0 --host nobody@127.0.0.1:1 --from ssh`);
    expect(code).toBe(1);
    expect(err).toMatch(/error: nobody can tell of ghost-0:\n {2}ssh: ssh port closed.*\nhint: name its machine/);
  });
});

describe("a node that is removed", { timeout: 60_000 }, () => {
  it("is looked at with --plan: its roles, its instances, what becomes of its machine", async () => {
    const { code, out } = await our.tutti("node remove shelf-0 --plan");
    expect(code).toBe(2);
    expect(out).toMatch(
      /^shelf-0 \(dea\) is there:\n(.*\n)* {2}it holds 2 instances of apps: refused, unless forced\n/,
    );
    expect(out).toMatch(/its machine becomes a plain one again.*\n$/);
    expect(our.asked).toEqual(["claim shelf-0 dea"]);
  });

  it("stays while it holds instances, and when it is the last of its kind", async () => {
    expect((await our.tutti("node remove shelf-0 --yes")).err).toMatch(
      /error: shelf-0 still holds 2 instances of apps/,
    );
    expect((await our.tutti("node remove lead-0 --yes")).err).toMatch(
      /error: lead-0 is the last node with the role core/,
    );
    expect((await our.tutti("node remove shelf-0")).code).toBe(64);
    expect((await our.tutti("node remove shlef-0 --yes")).err).toContain("did you mean shelf-0?");
  });

  it("goes when it is forced, and its machine is a plain one again", async () => {
    const { code, out, err } = await our.tutti("node remove shelf-0 --yes --force");
    expect(code).toBe(0);
    expect(err).toContain("✓ shelf-0 is let in no longer\n");
    expect(out).toBe("shelf-0 is removed, and its machine is a plain one again\n");
    expect(our.asked).toEqual(["claim shelf-0 dea", "revoke shelf-0"]);
    expect(our.machine.calls()).toContain("systemctl disable --now tutti-boot.service tutti.service");
    for (const path of ["etc/tutti/node.json", "etc/tutti/birth.json", "etc/tutti/facts.json", "var/lib/tutti/node"])
      expect(existsSync(our.machine.path(path)), path).toBe(false);
    expect(machinesFile()).not.toContain("shelf-0");
  });

  it("is removed also when its machine cannot be reached any more", async () => {
    const { code, out, err } = await our.tutti("node remove run-0 --yes --host nobody@127.0.0.1:1");
    expect(code).toBe(0);
    expect(err).toMatch(/note: its machine could not be cleaned up: ssh port closed/);
    expect(out).toBe("run-0 is removed; on its machine: systemctl disable --now tutti-boot tutti\n");
  });
});
