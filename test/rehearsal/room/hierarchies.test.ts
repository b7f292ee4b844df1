import { describe, expect, it } from "vitest";
import { hierarchiesIn, memoryTree } from "../../../rehearsal/room/hierarchies.ts";

const line = (path: string, type: string, options: string) =>
  `36 25 0:31 / ${path} rw,nosuid shared:9 - ${type} ${type} ${options}`;

describe("the trees of control groups", () => {
  it("are one on a computer with version 2", () => {
    expect(hierarchiesIn(line("/sys/fs/cgroup", "cgroup2", "rw,nsdelegate"))).toEqual([
      { path: "/sys/fs/cgroup", v2: true, controllers: [] },
    ]);
  });

  it("are one for each mount with version 1, two controllers in one among them", () => {
    const text = [
      line("/sys/fs/cgroup/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct"),
      line("/sys/fs/cgroup/systemd", "cgroup", "rw,xattr,name=systemd"),
      line("/sys/fs/cgroup/unified", "cgroup2", "rw"),
    ].join("\n");
    expect(hierarchiesIn(text)).toEqual([
      { path: "/sys/fs/cgroup/cpu,cpuacct", v2: false, controllers: ["cpu", "cpuacct"] },
      { path: "/sys/fs/cgroup/systemd", v2: false, controllers: ["name=systemd"] },
      { path: "/sys/fs/cgroup/unified", v2: true, controllers: [] },
    ]);
  });

  it("leave out controllers that no machine needs, and what is no tree", () => {
    const text = [line("/sys/fs/cgroup/hugetlb", "cgroup", "rw,hugetlb"), line("/", "ext4", "rw"), ""].join("\n");
    expect(hierarchiesIn(text)).toEqual([]);
  });

  it("are counted once when a path is mounted twice, and may have a space in their path", () => {
    const text = [line("/a\\040b", "cgroup", "rw,memory"), line("/a\\040b", "cgroup", "rw,pids")].join("\n");
    expect(hierarchiesIn(text)).toEqual([{ path: "/a b", v2: false, controllers: ["pids"] }]);
  });

  it("are no use for machines when none limits memory", () => {
    const trees = hierarchiesIn(line("/sys/fs/cgroup/pids", "cgroup", "rw,pids"));
    expect(memoryTree(trees)).toBeUndefined();
    expect(memoryTree(hierarchiesIn(line("/nowhere", "cgroup2", "rw")))).toBeUndefined();
    const both = [...trees, { path: "/m", v2: false, controllers: ["memory"] }];
    expect(memoryTree(both)?.path).toBe("/m");
  });
});
