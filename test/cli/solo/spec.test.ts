import { totalmem } from "node:os";
import { expect, it } from "vitest";
import { thisMachine } from "../../../cli/solo/machine.ts";
import { soloNode } from "../../../cli/solo/spec.ts";
import { parseCluster } from "../../../roles/spec.ts";

it("a machine's memory is counted whole, however much it is", () => {
  const { memory, disk } = thisMachine("/");
  expect(memory).toBeGreaterThan(0);
  expect(memory).toBeLessThanOrEqual(totalmem() / 2 ** 20);
  if (process.constrainedMemory() === 0 || process.constrainedMemory() >= totalmem())
    expect(memory).toBe(Math.floor(totalmem() / 2 ** 20));
  expect(disk).toBeGreaterThanOrEqual(0);
});

it("apps may use half of a machine of 24 GiB, or what the cluster.yaml says", () => {
  const node = (more: string) =>
    soloNode({
      cluster: parseCluster(
        `name: x\ndomain: x.test\nnodes: [{ name: a, roles: [core, controller, router, dea]${more} }]`,
      ),
      machine: { memory: 24_105, disk: 70_000 },
      home: "/h",
      tools: "/t",
      free: () => 0,
    });
  expect(node("")).toMatchObject({ memory: 12_052, disk: 35_000 });
  expect(node(", memory: 300, disk: 400")).toMatchObject({ memory: 300, disk: 400 });
});

it("a cluster.yaml of several nodes is none for one machine", () => {
  const cluster = parseCluster(
    "name: x\ndomain: x.test\nnodes: [{ name: a, count: 2, roles: [dea] }, { name: c, roles: [core, controller, router] }]",
  );
  expect(() => soloNode({ cluster, machine: { memory: 1, disk: 1 }, home: "/h", tools: "/t", free: () => 0 })).toThrow(
    "a solo cluster has one node",
  );
});
