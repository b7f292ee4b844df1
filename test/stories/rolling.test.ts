import { readFileSync } from "node:fs";
import { DescribeAddressesCommand } from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { census } from "../support/ec2Eyes.ts";
import { type RollingCluster, rollingCluster } from "../support/rollingCluster.ts";

// Machines are replaced one after the other, on the real engine, against an API of EC2 on this machine.

const images = JSON.parse(readFileSync(new URL("../../rehearsal/images.json", import.meta.url), "utf8")) as {
  ami_id: string;
  architecture: string;
}[];
const [older = "", newer = ""] = images.filter((one) => one.architecture === "x86_64").map((one) => one.ami_id);

const spec = (image: string, nodes: string) =>
  `name: roll\ndomain: roll.test\naws: { region: eu-central-1, owner: me, zones: [a, b], image: ${image} }\nnodes:\n${nodes}`;

describe("another image", { timeout: 600_000 }, () => {
  const nodes = `  - { name: core, count: 3, roles: [core] }
  - { name: front, count: 2, roles: [controller, router] }
  - { name: dea, count: 2, roles: [dea] }
`;
  let our: RollingCluster;
  let first: Record<string, string>;
  const bound: string[] = [];
  beforeAll(async () => {
    our = await rollingCluster();
    expect(await our.up(spec(older, nodes))).toMatchObject({ ok: true });
    first = await our.nodes();
    our.log.length = 0;
    const address = async (what: string, node: string, instance: string) => {
      if (node !== "front-0") return;
      const { Addresses = [] } = await our.there.ec2.send(new DescribeAddressesCommand({}));
      const has = Addresses.some(({ InstanceId }) => InstanceId === instance);
      bound.push(`${what}: this machine ${has ? "has" : "has not"} the address`);
    };
    our.acts.ready = (turn) => address("ready", turn.node, turn.instance);
    our.acts.drain = (turn) => address("drain", turn.node, turn.instance);
    const ended = await our.up(spec(newer, nodes));
    expect(ended).toMatchObject({ ok: true, complaints: [] });
  }, 600_000);
  afterAll(() => our?.gone());

  const of = (node: string) => our.log.flatMap((line, at) => (line.endsWith(` ${node}`) ? [{ line, at }] : []));
  const deeds = (node: string) => of(node).map(({ line }) => line.split(" ")[0]);

  it("makes every machine anew, once", async () => {
    const now = await our.nodes();
    expect(Object.keys(now).sort()).toEqual(Object.keys(first).sort());
    for (const [node, instance] of Object.entries(now)) expect(instance).not.toBe(first[node]);
    expect(await census(our.there)).toMatchObject({ machines: 7, volumes: 7, addresses: 2 });
  });

  it("has each new machine do its work before the old one is emptied and goes", () => {
    for (const node of ["front-0", "front-1", "dea-0", "dea-1"])
      expect(deeds(node), node).toEqual(["run", "ready", "drain", "end"]);
  });

  it("lets a core go before the next one comes, because its address is its place", () => {
    for (const node of ["core-0", "core-1", "core-2"])
      expect(deeds(node), node).toEqual(["drain", "end", "run", "ready"]);
  });

  it("comes to the next node of a role when the one before is done, and to the cores last, one by one", () => {
    const span = (node: string) => ({ from: of(node)[0]?.at ?? 0, to: of(node).at(-1)?.at ?? 0 });
    const follows = (one: string, other: string) => expect(span(one).from, one).toBeGreaterThan(span(other).to);
    follows("dea-1", "dea-0");
    follows("front-1", "front-0");
    for (const node of ["dea-1", "front-1"]) follows("core-0", node);
    follows("core-1", "core-0");
    follows("core-2", "core-1");
  });

  it("gives a router's address to the new machine when that is ready, and before the old one is emptied", () => {
    expect(bound).toEqual(["ready: this machine has not the address", "drain: this machine has not the address"]);
  });
});

describe("a replacement that does not come to its end", { timeout: 600_000 }, () => {
  const nodes = `  - { name: lead, roles: [core, controller, router] }
  - { name: dea, count: 3, roles: [dea] }
`;
  let our: RollingCluster;
  let first: Record<string, string>;
  beforeAll(async () => {
    our = await rollingCluster();
    expect(await our.up(spec(older, nodes))).toMatchObject({ ok: true });
    first = await our.nodes();
  }, 600_000);
  afterAll(() => our?.gone());

  const roll = (text = spec(newer, nodes)) => {
    our.log.length = 0;
    return our.up(text);
  };
  const killed = { ok: false, complaints: [{ message: "the engine was killed" }] };
  /** Kills the engine once, when EC2 has made this node's machine and before the engine hears of it. */
  const killWhenMade = (node: string) => {
    our.onMachine = async () => {
      if (our.log.at(-1) !== `run ${node}`) return;
      our.onMachine = undefined;
      await our.kill();
    };
  };

  // One life: each test goes on where the one before it has left off.
  it("because the new machine does not do its work: the old one stays, and the error is that of who has looked", async () => {
    our.acts.ready = async ({ node }) => {
      throw new Error(`${node} is not ready`);
    };
    await expect(roll()).rejects.toThrow("dea-0 is not ready");
    expect(our.log).toEqual(["run dea-0", "ready dea-0"]);
    our.acts.ready = undefined;
  });

  it("because the old one cannot be spared: both stay, and no third one is made", async () => {
    our.acts.drain = async ({ node }) => {
      throw new Error(`${node} cannot be spared`);
    };
    await expect(roll()).rejects.toThrow("dea-0 cannot be spared");
    expect(our.log).toEqual(["ready dea-0", "drain dea-0"]);
    expect(await census(our.there)).toMatchObject({ machines: 5 });
  });

  it("because the engine is killed while the old one is emptied: by then the one before is done", async () => {
    our.acts.drain = async ({ node }) => {
      if (node === "dea-1") await our.kill();
    };
    expect(await roll()).toMatchObject(killed);
    expect(our.log).toEqual([
      ...["ready dea-0", "drain dea-0", "end dea-0"],
      ...["run dea-1", "ready dea-1", "drain dea-1"],
    ]);
    our.acts.drain = undefined;
  });

  it("because the engine is killed when EC2 has made the machine: the one before is emptied first, and goes", async () => {
    killWhenMade("dea-2");
    expect(await roll()).toMatchObject(killed);
    expect(our.log).toEqual(["ready dea-1", "drain dea-1", "end dea-1", "run dea-2"]);
  });

  it("because it is killed again, when a core's place is taken: what was made for the node before is taken in", async () => {
    killWhenMade("lead-0");
    const { ok, changes } = await roll();
    expect([ok, changes.find(({ name }) => name === "roll-dev-dea-2")?.deed]).toEqual([false, "adopt"]);
    expect(our.log).toEqual([
      ...["ready dea-2", "drain dea-2", "end dea-2"],
      ...["drain lead-0", "end lead-0", "run lead-0"],
    ]);
  });

  it("is in the end as if nothing had happened: one machine for each node, all of them new", async () => {
    const { ok, changes } = await roll();
    expect([ok, changes.find(({ type }) => type.endsWith(":Instance"))?.deed, our.log]).toEqual([true, "adopt", []]);
    const now = await our.nodes();
    expect(Object.keys(now).sort()).toEqual(["dea-0", "dea-1", "dea-2", "lead-0"]);
    for (const [node, instance] of Object.entries(now)) expect(instance).not.toBe(first[node]);
    expect(await census(our.there)).toMatchObject({ machines: 4, volumes: 4, addresses: 1 });
  });

  it("asks nobody when there is nothing to replace", async () => {
    const before = await our.nodes();
    expect(await roll()).toMatchObject({ ok: true });
    expect([our.log, await our.nodes()]).toEqual([[], before]);
  });

  it("is a restart of one machine after the other where only the size is another", async () => {
    await roll(spec(newer, nodes.replace("roles: [dea]", "roles: [dea], instanceType: t3.large")));
    const turns = ["dea-0", "dea-1", "dea-2"].flatMap((node) => [`drain ${node}`, `ready ${node}`]);
    expect(our.log).toEqual(turns);
  });
});
