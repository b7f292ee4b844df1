import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noMachines } from "../support/machines.ts";
import {
  type Meanwhile,
  type Rehearsed,
  type RehearsedNode,
  type Rehearsing,
  rehearsing,
  untilInside,
} from "../support/rehearsal.ts";
import { until } from "../support/until.ts";

// Bad days on machines that boot: what happens to them comes from outside, by what a stranger, the cloud or the power
// company can do. All of it in the life of one cluster; the first two days are those of its birth.

const support = (name: string) => fileURLToPath(new URL(`../support/${name}`, import.meta.url));
const spec = support("days.yaml");
const beat = 200;
const domain = "days.example.com";
const hello = `http://hello.${domain}/`;
/** What the cloud's console, or somebody else with rights there, does. */
const cloud = `node ${support("cloudHand.mjs")}`;

/** Where and at which door attackers stood → what they got → how often. */
type Attacked = Record<string, Record<string, number>>;
interface Loaded {
  readonly asked: number;
  readonly failed: Record<string, number>;
}
interface NodeLine {
  readonly id: string;
  readonly state: string;
  readonly address: string;
}
interface Instance {
  readonly index: number;
  readonly state: string;
  readonly host: string;
  readonly instance_guid: string;
}
interface Explained {
  readonly from: string;
  readonly state: string;
  readonly boots: number;
  readonly failed?: { readonly name: string; readonly lines: readonly string[] };
}

describe.skipIf(noMachines)("a cluster on machines that boot", () => {
  let our: Rehearsing;
  let stood: Rehearsed;
  let attacked: Attacked;
  let place: string;

  beforeAll(async () => {
    our = await rehearsing();
    const standing = our.rehearseOf(spec, "--keep");
    const during = (async () => {
      await until(our.place, { what: "the room is there" });
      place = (await our.place()) ?? "";
      const attackers: Meanwhile<Attacked> = await our.meanwhile(`node ${support("attackers.mjs")} 50 ${domain}`);
      const key = "/var/lib/tutti/node/identity/tls.key";
      await our.inside(`exec node ${support("powerCut.ts")} ${place}/machines run-0 ${key}`);
      return attackers;
    })();
    during.catch(() => {});
    stood = await standing;
    attacked = await (await during).end();
  }, 400_000);
  afterAll(() => our.gone());

  const node = (id: string): RehearsedNode => {
    const found = stood.nodes.find((one) => one.id === id);
    if (!found) throw new Error(`there is no ${id}`);
    return found;
  };
  const asked = async <T>(line: string) => JSON.parse(await our.inside(line)) as T;
  const nodes = async () => (await asked<{ nodes: NodeLine[] }>("tutti node list --json")).nodes;
  const instances = async () => {
    const { processes } = await asked<{ processes: { stats: Instance[] }[] }>("tutti app hello --json");
    return processes[0]?.stats ?? [];
  };
  const explained = (id: string) =>
    asked<Explained>(`tutti node explain ${id} --from console --offline --region eu-central-1 --json`);
  const file = (id: string, path: string) => our.inside(`cat ${place}/machines/${node(id).instance}/root${path}`);

  describe("fifty attackers on the license endpoint, from before the first machine", () => {
    it("get nothing but refusals, and its owner is the first user", async () => {
      const got = Object.values(attacked).flatMap((answers) => Object.keys(answers));
      expect(got.filter((how) => /^\d/.test(how) && Number(how) < 400)).toEqual([]);
      expect(stood).toMatchObject({ ok: true, status: 200 });
      const { cluster_owner, ...state } = await asked<Record<string, unknown>>(
        `curl -s http://api.${domain}/stackato/license`,
      );
      expect([state["licensed"], cluster_owner]).toEqual([true, undefined]);
    });

    it("were heard: through the router, and at the controller's own port from a DEA's machine", () => {
      const refused = Object.fromEntries(
        Object.entries(attacked).map(([door, answers]) => [door, answers["403"] ?? 0]),
      );
      expect(refused["operator router"], JSON.stringify(attacked)).toBeGreaterThan(0);
      expect((refused["work-0 controller"] ?? 0) + (refused["run-0 controller"] ?? 0)).toBeGreaterThan(0);
      expect(Object.keys(attacked["operator controller"] ?? {}).filter((how) => /^\d/.test(how))).toEqual([]);
    });
  });

  describe("a power cut on a machine that has just made its key", () => {
    it("is forgotten at its next boot, by which it joins", async () => {
      expect(await explained("run-0")).toMatchObject({ state: "ready", boots: 2 });
      expect((await nodes()).find(({ id }) => id === "run-0")?.state).toBe("UP");
    });
  });

  describe("a machine that comes back with another private address", () => {
    it("is the same node there, with a certificate and a record that say so", async () => {
      const { instance, privateAddress: before } = node("run-0");
      const address = before.replace(/\d+$/, "77");
      await our.inside(`${cloud} stop ${instance}`);
      await untilInside(our, `test -e /run/netns/${instance} || echo off`, (out) => out === "off\n");
      await our.inside(`${cloud} move ${instance} ${address} && ${cloud} start ${instance}`);
      const back = ({ id, state, address: at }: NodeLine) => id === "run-0" && state === "UP" && at === address;
      await until(async () => (await nodes()).some(back), { what: "the node is up at its new address" });
      const { resources } = await asked<{ resources: NodeLine[] }>("tutti curl /tutti/members");
      expect(resources.find(({ id }) => id === "run-0")).toMatchObject({ address });
      const certificate = new X509Certificate(await file("run-0", "/var/lib/tutti/node/identity/tls.crt"));
      expect([certificate.checkIP(address), certificate.checkIP(before)]).toEqual([address, undefined]);
    }, 120_000);

    it("runs instances of an app, and they answer through the router", async () => {
      await our.inside("tutti scale hello -i 4");
      const { address } = (await nodes()).find(({ id }) => id === "run-0") ?? {};
      let there: Instance[] = [];
      const some = async () => {
        const all = await instances();
        there = all.filter(({ host, state }) => host === address && state === "RUNNING");
        return there.length > 0 && all.length === 4 && all.every(({ state }) => state === "RUNNING");
      };
      await until(some, { what: "an instance runs there" });
      const answers = async () => await our.inside(`for i in 1 2 3 4 5 6 7 8; do curl -s ${hello}whoami; done`);
      await until(async () => (await answers()).includes(there[0]?.instance_guid ?? "?"), { what: "it answers" });
    }, 120_000);
  });

  describe("a bus that is frozen for 600 beats under load", () => {
    it("fails no request, and nothing is started anew for it", async () => {
      const who = async () => ({
        agents: await our.inside("pgrep -f 'agent/main.mjs|nats-server'"),
        instances: (await instances()).map(({ index, host, instance_guid: id }) => ({ index, host, id })),
      });
      const before = await who();
      await our.inside("pkill -STOP -x nats-server");
      const load = await our.meanwhile<Loaded>(`node ${support("appLoad.mjs")} ${hello} 20`);
      await sleep(600 * beat);
      await our.inside("pkill -CONT -x nats-server");
      await untilInside(our, "tutti status --json || true", (out) => /"healthy": ?true/.test(out));
      const { asked: all, failed } = await load.end();
      expect(failed).toEqual({});
      expect(all).toBeGreaterThan(1000);
      expect(await who()).toEqual(before);
      expect((await nodes()).filter(({ state }) => state !== "UP")).toEqual([]);
      expect((await instances()).filter(({ state }) => state !== "RUNNING")).toEqual([]);
    }, 300_000);
  });

  describe("a machine whose agent is not the one it was told to fetch", () => {
    const wanted = "cluster.yaml";
    const contact = () =>
      our.inside(
        `tutti bootstrap ${join(our.me.home, wanted)} --offline --identity ${place}/id_rsa --timeout 10 2>&1 || true`,
      );

    it("refuses it, and its console tells the step and why", async () => {
      await our.inside(`${cloud} spoil days`);
      const more = readFileSync(spec, "utf8").replace("count: 1", "count: 2");
      writeFileSync(join(our.me.home, wanted), more);
      const { bundle } = JSON.parse(readFileSync(join(place, "plan.json"), "utf8")) as { bundle: string };
      const env = `TUTTI_BUNDLE=${bundle} TUTTI_SSH_KEY=${place}/id_rsa.pub`;
      const up = await our.inside(`${env} tutti up ${join(our.me.home, wanted)} --offline --yes --json`);
      stood = { ...stood, ...(JSON.parse(up.trim().split("\n").at(-1) ?? "") as Rehearsed) };
      const ended = async () => (await explained("run-1").catch(() => undefined))?.state === "failing";
      await until(ended, { what: "it has told how its boot ended" });
      const { failed } = await explained("run-1");
      expect(failed?.name).toBe("bundle");
      expect(failed?.lines.join("\n")).toMatch(/refused what s3:.* gave: its checksum is [0-9a-f]{64}/);
    }, 120_000);

    it("is told of by bootstrap, over ssh and without", async () => {
      const said = /run-1: .*boot step bundle failed with exit code 1\n *\| refused what s3:/;
      expect(await contact()).toMatch(said);
      const sshd = `for p in $(ip netns pids ${node("run-1").instance}); do grep -qx sshd /proc/$p/comm && kill $p; done; true`;
      await our.inside(sshd);
      expect(await contact()).toMatch(/run-1: ssh port closed: .*; on its console: boot step bundle failed/);
    }, 120_000);

    it("joins at its next boot when that was mended", async () => {
      await our.inside(`${cloud} mend days && ${cloud} reboot ${node("run-1").instance}`);
      await until(async () => (await nodes()).some(({ id, state }) => id === "run-1" && state === "UP"), {
        what: "it has joined",
        timeout: 90_000,
      });
      expect((await explained("run-1")).state).toBe("ready");
    }, 120_000);
  });
});
