import { describe, expect, it } from "vitest";
import { nspawnCommand } from "../../../rehearsal/machines/command.ts";
import { hypervisorUuid, memoryFacts } from "../../../rehearsal/machines/facts.ts";
import { memoryIn } from "../../../rehearsal/machines/group.ts";
import { freezing, limitsOf } from "../../../rehearsal/machines/limits.ts";
import type { MachinePlan } from "../../../rehearsal/machines/machine.ts";

const plan: MachinePlan = {
  ...{ id: "i-0abc", mac: "02:00:00:00:00:01", memory: 1024, disk: 20, netns: "/run/netns/i-0abc" },
  ...{ folder: "/work/i-0abc", image: "/golden.ext4" },
};

describe("the command line of a boot", () => {
  const command = nspawnCommand(plan, "/bin/systemd-nspawn", ["/g/a/cgroup.procs", "/g/b/cgroup.procs"]);

  it("joins the machine's control groups before it becomes systemd-nspawn", () => {
    expect(command.slice(3, 8)).toEqual([
      "join",
      "/g/a/cgroup.procs",
      "/g/b/cgroup.procs",
      "--",
      "/bin/systemd-nspawn",
    ]);
  });

  it("gives the machine its disk, its network and what tells cloud-init where it is", () => {
    expect(command).toEqual(
      expect.arrayContaining([
        "--directory=/work/i-0abc/root",
        "--network-namespace-path=/run/netns/i-0abc",
        "--bind-ro=/work/i-0abc/hypervisor-uuid:/sys/hypervisor/uuid",
      ]),
    );
    expect(command.at(-1)).toMatch(/\nexec \/lib\/systemd\/systemd ci\.ds=Ec2$/);
  });
});

describe("what a machine is told of itself", () => {
  it("is the identity of a machine of EC2, in the form of a UUID", () => {
    expect(hypervisorUuid("i-0123456789abcdef0")).toBe("ec201234-5678-9abc-def0-000000000000\n");
    expect(hypervisorUuid("i-1a2b3c4d")).toMatch(/^ec2[0-9a-f]{5}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n$/);
    expect(hypervisorUuid("i-1")).not.toBe(hypervisorUuid("i-2"));
  });

  it("is the memory that it may use, not that of the computer it runs on", () => {
    const host =
      "MemTotal:       24683520 kB\nMemFree:        14000000 kB\nBuffers:          900000 kB\nHugePages_Total:       0\n";
    const lines = memoryFacts(host, 1024).split("\n");
    expect(lines[0]).toBe("MemTotal:         988807 kB");
    expect(Number(/\d+/.exec(lines[1] ?? "")?.[0])).toBeLessThan(988_807);
    expect(lines[3]).toBe("HugePages_Total:       0");
  });
});

describe("the limits of a machine", () => {
  it("are memory and devices in the trees of version 1, each in its own", () => {
    expect(limitsOf({ path: "/m", v2: false, controllers: ["memory"] }, 512)[0]).toEqual({
      file: "memory.limit_in_bytes",
      value: "536870912",
    });
    const devices = limitsOf({ path: "/d", v2: false, controllers: ["devices"] }, 512);
    expect(devices[0]).toEqual({ file: "devices.deny", value: "a" });
    expect(devices.map(({ value }) => value)).not.toContain("b *:* rwm");
    expect(limitsOf({ path: "/p", v2: false, controllers: ["pids"] }, 512)).toEqual([]);
  });

  it("are memory without swap in the tree of version 2", () => {
    expect(limitsOf({ path: "/", v2: true, controllers: [] }, 512).map(({ file, value }) => [file, value])).toEqual([
      ["memory.max", "536870912"],
      ["memory.swap.max", "0"],
    ]);
  });

  it("know how each version freezes, and how it says that it has", () => {
    const one = freezing({ path: "/f", v2: false, controllers: ["freezer"] }, true);
    expect([one.set, one.value, one.said.test("FREEZING\n"), one.said.test("FROZEN\n")]).toEqual([
      ...["freezer.state", "FROZEN", false, true],
    ]);
    const two = freezing({ path: "/", v2: true, controllers: [] }, false);
    expect([
      two.set,
      two.value,
      two.said.test("populated 1\nfrozen 1\n"),
      two.said.test("populated 1\nfrozen 0\n"),
    ]).toEqual(["cgroup.freeze", "0", false, true]);
  });

  it("count memory of both versions by whose it is", () => {
    expect(memoryIn("rss 5\ntotal_rss 10485760\ntotal_cache 41943040\n")).toEqual({ resident: 10, cache: 40 });
    expect(memoryIn("anon 10485760\nfile 41943040\n")).toEqual({ resident: 10, cache: 40 });
  });
});
