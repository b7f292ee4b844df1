import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noMachines } from "../support/machines.ts";
import { type Rehearsed, type Rehearsing, rehearsing, untilInside } from "../support/rehearsal.ts";
import { until } from "../support/until.ts";

// The whole line on machines that boot: what a person types, and what they find.

describe.skipIf(noMachines)("a rehearsal of three nodes", () => {
  let our: Rehearsing;
  let first: Rehearsed;
  beforeAll(async () => {
    our = await rehearsing();
  });
  afterAll(() => our.gone());

  it("that is killed while its machines boot leaves no process, mount, loop device, namespace or interface", async () => {
    const { code } = await our.killedAt(/running \(/);
    expect(code).toBeNull();
    await until(async () => (await our.leftovers()).length === 0, { what: "nothing of it is left" });
  }, 240_000);

  it("ends with a 200 from the app, and stays when it is told to", async () => {
    first = await our.rehearse("--keep");
    expect(first).toMatchObject({ ok: true, status: 200, url: "http://hello.trio.example.com/" });
    expect(first.steps.map(({ name }) => name)).toEqual([
      "image of machines",
      "agent bundle",
      "EC2 API",
      "pulumi up",
      "tutti bootstrap",
      "tutti push",
      "first request",
    ]);
    expect(first.nodes.map(({ id }) => id)).toEqual(["lead-0", "work-0", "run-0"]);
  }, 400_000);

  it("has every node of the cluster.yaml in the cluster, with its roles and components ready", async () => {
    const nodes = JSON.parse(await our.inside("tutti status --json")).nodes as { id: string; roles: string[] }[];
    expect(nodes.map(({ id, roles }) => [id, roles.toSorted()]).toSorted()).toEqual([
      ["lead-0", ["controller", "core", "health", "router"]],
      ["run-0", ["dea"]],
      ["work-0", ["dea", "stager"]],
    ]);
  });

  it("goes on when a machine that runs an app loses its power: instances start on the other", async () => {
    await our.inside("tutti scale hello -i 2");
    await untilInside(our, "tutti app hello", (out) => /2\/2 running/.test(out));
    const [, , run] = first.nodes;
    await our.inside(`${aws} stop ${run?.instance}`);
    await untilInside(our, "tutti app hello", (out) => /2\/2 running/.test(out) && !out.includes("run-0"), 120_000);
    expect(await our.inside("curl -s -o /dev/null -w '%{http_code}' http://hello.trio.example.com/")).toBe("200");
    await our.inside(`${aws} start ${run?.instance}`);
    await untilInside(our, "tutti status --json || true", (out) => upNodes(out).includes("run-0"), 120_000);
  }, 300_000);

  it("is removed by `rehearse down`, which says what it was", async () => {
    const { out, code } = await our.me.tutti(["rehearse", "down"]);
    expect([code, out]).toEqual([0, expect.stringMatching(/^removed: the rehearsal trio, with the machines i-/)]);
    await until(async () => (await our.leftovers()).length === 0, { what: "nothing of it is left" });
    expect((await our.me.tutti(["rehearse", "down"])).out.trim()).toBe("nothing stands");
  }, 60_000);

  it("ends well again straight after, and leaves nothing by itself", async () => {
    expect(await our.rehearse()).toMatchObject({ ok: true, status: 200 });
    expect(await our.leftovers()).toEqual([]);
  }, 400_000);
});

/** Asks the rehearsal's EC2, as the console of the cloud would. */
const aws = `node ${new URL("../support/switchInstance.mjs", import.meta.url).pathname}`;

function upNodes(out: string): string[] {
  const { nodes = [] } = JSON.parse(out || "{}") as { nodes?: { id: string; state: string }[] };
  return nodes.filter(({ state }) => state === "UP").map(({ id }) => id);
}
