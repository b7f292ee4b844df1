import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readJournal, readResult } from "../../cloudinit/journal.ts";
import { parseNode } from "../../roles/node.ts";
import { birthOf, birthWith, ca, claimSecret, type Machine, machine, smallBundle } from "../support/cloudinit.ts";

// The entry script itself, in a directory that stands for a machine.

const order = ["units", "packages", "shield", "facts", "bundle", "node", "identity", "start", "ready"];
const bundle = smallBundle();
let here: Machine;

beforeEach(async () => {
  here = await machine(bundle);
  here.born(birthOf());
});
afterEach(() => here.gone());

const names = () => here.journal().map(({ name }) => name);
const restarts = () => here.calls().filter((call) => call === "systemctl restart tutti.service").length;

describe("a machine is born", () => {
  it("becomes a node, step by step, and says so on the console and on its disk", async () => {
    const ran = await here.boot();
    expect(ran).toMatchObject({ code: 0 });
    expect(names()).toEqual(order);
    expect(here.journal().every(({ exit }) => exit === 0)).toBe(true);
    expect(readJournal(ran.out)).toEqual(here.journal());
    expect(here.result()).toMatchObject({ state: "done", exit: 0 });
    expect(readResult(ran.out)).toEqual(here.result());
  });

  it("writes the node as it finds it, and lets the router listen to everybody", async () => {
    await here.boot();
    expect(here.node()).toMatchObject({
      ...{ id: "all-0", address: "127.0.0.1", bind: "0.0.0.0", zone: "eu-central-1a" },
      ...{ home: here.path("var/lib/tutti/node"), tools: here.path("var/lib/tutti/tools") },
    });
    expect(here.node()["memory"]).toBeGreaterThan(64);
    expect(here.node()["disk"]).toBeGreaterThan(64);
    expect(statSync(here.path("var/lib/tutti/tools/nats-server")).isFile()).toBe(true);
  });

  it("tells the agent how to join: which cores there are, whom to believe, what to show and which machine it is", async () => {
    await here.boot();
    const { cores, ca, claim } = birthOf();
    expect(here.node()).toMatchObject({ join: { cores, ca, claim, instance: "i-0123456789abcdef0" } });
    expect(() => parseNode(JSON.stringify(here.node()))).not.toThrow();
  });

  it("takes memory and disk from the birth when it says how much, and binds nothing for others than routers", async () => {
    const birth = birthWith(["dea"]);
    here.born({ ...birth, node: { ...birth.node, memory: 2048, disk: 4096 } });
    expect((await here.boot()).code).toBe(0);
    expect(here.node()).toMatchObject({ memory: 2048, disk: 4096 });
    expect(here.node()["bind"]).toBeUndefined();
  });

  it("keeps what is secret to itself", async () => {
    const { out } = await here.boot();
    const { SecretAccessKey, Token } = here.metadata.state.credentials;
    const journal = JSON.stringify(here.journal());
    for (const secret of [claimSecret, SecretAccessKey, Token]) {
      expect(out).not.toContain(secret);
      expect(journal).not.toContain(secret);
    }
    expect(statSync(here.path("etc/tutti/birth.json")).mode & 0o777).toBe(0o600);
    expect(statSync(here.path("etc/tutti/node.json")).mode & 0o777).toBe(0o600);
    expect(statSync(here.path("var/lib/tutti/boot/journal.jsonl")).mode & 0o777).toBe(0o644);
  });

  it("has itself called at each boot before anything else can fail", async () => {
    here.breaks("apt-get", "E: no network");
    expect((await here.boot()).code).not.toBe(0);
    expect(here.calls()).toContain("systemctl enable tutti-boot.service tutti.service");
  });
});

describe("a core's identity", () => {
  const file = "var/lib/tutti/node/identity/authority.json";
  const key = "canary of a key";
  const authority = (certificate = ca) => Buffer.from(JSON.stringify({ certificate, key, join: "canary of a join" }));
  const told = (more = {}) => birthWith(["core"], { authority: "s3://depot/identity/authority.json", ...more });
  const put = (content: Buffer) => void here.bucket.more.set("/depot/identity/authority.json", content);
  const said = () =>
    here
      .journal()
      .findLast(({ name }) => name === "identity")
      ?.lines.join("\n");

  it("is fetched with the machine's own rights, and read by nobody else", async () => {
    put(authority());
    here.born(told());
    const { out } = await here.boot();
    expect(readFileSync(here.path(file))).toEqual(authority());
    expect(statSync(here.path(file)).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(here.path(file))).mode & 0o777).toBe(0o700);
    expect(said()).toBe("fetched from s3://depot/identity/authority.json");
    expect(out + JSON.stringify(here.journal())).not.toContain("canary of a");
  });

  it("is fetched once", async () => {
    put(authority());
    here.born(told());
    await here.boot();
    here.bucket.more.clear();
    expect((await here.boot()).code).toBe(0);
    expect(said()).toBe("there already");
  });

  it("that somebody will bring is not waited for by the boot, and nobody else has such a step", async () => {
    here.born(birthWith(["core"]));
    expect((await here.boot()).code).toBe(0);
    expect(said()).toMatch(/tutti bootstrap brings it/);
    here.born(birthWith(["dea"], { authority: "s3://depot/identity/authority.json" }));
    expect((await here.boot()).code).toBe(0);
    expect(here.journal().filter(({ name }) => name === "identity")).toHaveLength(1);
  });

  it("of another cluster is refused, and what is half there counts for nothing", async () => {
    put(authority("another certificate"));
    here.born(told());
    mkdirSync(dirname(here.path(file)), { recursive: true });
    writeFileSync(here.path(`${file}.new`), "{");
    expect((await here.boot()).code).not.toBe(0);
    expect(said()).toMatch(/is not the identity of this cluster/);
    expect(existsSync(here.path(file))).toBe(false);
    put(authority());
    expect((await here.boot()).code).toBe(0);
  });

  it("of the cluster that this disk was in before is put aside", async () => {
    put(authority());
    here.born(told());
    mkdirSync(dirname(here.path(file)), { recursive: true });
    writeFileSync(here.path(file), authority("the old certificate"), { mode: 0o600 });
    expect((await here.boot()).code).toBe(0);
    expect(readFileSync(here.path(file))).toEqual(authority());
    expect(existsSync(here.path(`${file}.of-another`))).toBe(true);
  });

  it("that cannot be had stops the boot, which names it", async () => {
    here.born(told());
    expect((await here.boot()).code).not.toBe(0);
    expect(here.result()).toMatchObject({ state: "failed", step: "identity" });
    expect(said()).toMatch(/gave up after 8 tries/);
  });
});

describe("the agent waits to be let in", () => {
  const say = (state: object) => {
    mkdirSync(here.path("var/lib/tutti"), { recursive: true });
    writeFileSync(here.path("var/lib/tutti/agent-says.json"), JSON.stringify([{ name: "identity", ...state }]));
  };

  it("for a core that a person has not finished: the boot has not failed, and says what it waits for", async () => {
    say({ state: "starting", reason: "no core has let this node in yet", hint: "tutti bootstrap" });
    expect((await here.boot({ TUTTI_READY: "1" })).code).toBe(0);
    expect(here.result()).toMatchObject({ state: "done" });
    expect(here.journal().at(-1)?.lines).toEqual([
      "waits to be let in: no core has let this node in yet",
      "tutti bootstrap",
    ]);
  });

  it("but is refused: the boot has failed, with the core's reason", async () => {
    say({ state: "failing", reason: "the claim works once", hint: "give it a new one" });
    expect((await here.boot({ TUTTI_READY: "1" })).code).not.toBe(0);
    expect(here.journal().at(-1)?.lines[0]).toBe("identity: failing the claim works once give it a new one");
  });
});

describe("the script runs again", () => {
  it("does nothing twice", async () => {
    await here.boot();
    const before = here.calls().length;
    const ran = await here.boot();
    expect(ran.code).toBe(0);
    expect(names()).toEqual([...order, ...order]);
    expect(restarts()).toBe(1);
    expect(here.bucket.requests).toBe(1);
    expect(here.calls().slice(before).join("\n")).not.toMatch(/apt-get|restart/);
    const inputs = here.journal().map(({ name, input }) => `${name} ${input}`);
    expect(new Set(inputs.filter((one) => /bundle|packages|units/.test(one))).size).toBe(3);
  });

  it("tells the agent of a new private address", async () => {
    await here.boot();
    here.metadata.state.address = "127.0.0.2";
    expect((await here.boot()).code).toBe(0);
    expect(here.node()).toMatchObject({ address: "127.0.0.2" });
    expect(here.journal().findLast(({ name }) => name === "node")?.lines).toContain(
      "the address was 127.0.0.1 and is 127.0.0.2 now",
    );
    expect(restarts()).toBe(2);
  });

  it("tells systemd that the agent may start as soon as node.json is true", async () => {
    await here.boot({ NOTIFY_SOCKET: "/run/notify" });
    const calls = here.calls();
    expect(calls.indexOf("systemd-notify --ready")).toBeGreaterThan(0);
    expect(calls.indexOf("systemd-notify --ready")).toBeLessThan(calls.indexOf("systemctl restart tutti.service"));
  });

  it("makes way for the new node on a disk that was another one", async () => {
    await here.boot();
    const birth = birthOf();
    here.born({ ...birth, node: { ...birth.node, id: "all-1" } });
    expect((await here.boot()).code).toBe(0);
    expect(here.node()).toMatchObject({ id: "all-1" });
    expect(here.journal().findLast(({ name }) => name === "node")?.lines[0]).toMatch(/was the node all-0.*of-all-0/);
  });

  it("waits for a run that is under way", async () => {
    here.metadata.state.slow = 50;
    const both = await Promise.all([here.boot(), here.boot()]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(names()).toEqual([...order, ...order]);
    expect(restarts()).toBe(1);
  });
});

describe("a step fails", () => {
  interface Mishap {
    step: string;
    harm: (one: Machine) => void;
    mend: (one: Machine) => void;
    says: RegExp;
  }
  const broken = (call: string, message: string): Pick<Mishap, "harm" | "mend"> => ({
    harm: (one) => one.breaks(call, message),
    mend: (one) => one.breaks(call),
  });
  const birthFile = "etc/tutti/birth.json";
  const mishaps: Mishap[] = [
    { step: "units", ...broken("systemctl daemon-reload", "Failed to reload"), says: /Failed to reload/ },
    { step: "packages", ...broken("apt-get", "E: Could not get lock"), says: /gave up after 5 tries/ },
    { step: "shield", ...broken("nft --file", "nft: Operation not supported"), says: /Operation not supported/ },
    {
      step: "facts",
      harm: (one) => Object.assign(one.metadata.state, { address: "<html>" }),
      mend: (one) => Object.assign(one.metadata.state, { address: "127.0.0.1" }),
      says: /local-ipv4 what cannot be: <html>/,
    },
    {
      step: "bundle",
      harm: (one) => [one.bucket, one.mirror].map((store) => Object.assign(store.failing, { status: 404, times: 99 })),
      mend: (one) => [one.bucket, one.mirror].map((store) => Object.assign(store.failing, { times: 0 })),
      says: /no source has the agent/,
    },
    {
      step: "node",
      harm: (one) => writeFileSync(one.path(birthFile), "{"),
      mend: (one) => one.born(birthOf()),
      says: /SyntaxError|Node\.js/,
    },
    { step: "start", ...broken("systemctl restart", "Job for tutti.service failed"), says: /Job for tutti/ },
    {
      step: "ready",
      harm: (one) => mkdirSync(one.path("var/lib/tutti/agent-is-broken"), { recursive: true }),
      mend: (one) => rmdirSync(one.path("var/lib/tutti/agent-is-broken")),
      says: /core: failing port 4222 is in use[\s\S]*not ready within 1 s/,
    },
  ];

  it.each(mishaps)(
    "$step: the journal names it with its last lines, and the next run goes on from there",
    async (mishap) => {
      const { step, harm, mend, says } = mishap;
      harm(here);
      const ran = await here.boot({ TUTTI_READY: "1" });
      const last = here.journal().at(-1);
      expect(ran.code).not.toBe(0);
      expect(names()).toEqual(order.slice(0, order.indexOf(step) + 1));
      expect(last).toMatchObject({ name: step, exit: ran.code });
      expect(last?.lines.join("\n")).toMatch(says);
      expect(here.result()).toMatchObject({ state: "failed", step, exit: ran.code });
      mend(here);
      expect((await here.boot()).code).toBe(0);
      expect(here.result()).toMatchObject({ state: "done" });
    },
  );

  it("ends a step that takes too long", async () => {
    here.metadata.state.slow = 60_000;
    const ran = await here.boot({ TUTTI_LIMIT: "2" });
    expect(ran.code).toBe(124);
    expect(here.journal().at(-1)?.lines.at(-1)).toBe("it was ended: it took longer than 2 s");
  });
});

describe("the ground is not as it should be", () => {
  it("waits for a metadata service that is slow and busy", async () => {
    Object.assign(here.metadata.state, { slow: 200, busy: 3 });
    expect((await here.boot()).code).toBe(0);
  });

  it("asks the bucket again, signed with the machine's own rights", async () => {
    Object.assign(here.bucket.failing, { status: 403, times: 3 });
    expect((await here.boot()).code).toBe(0);
    expect(here.bucket.requests).toBe(4);
    expect(here.mirror.requests).toBe(0);
  });

  it("refuses a bundle with the wrong checksum and takes the second source's", async () => {
    here.bucket.body = smallBundle("sparc");
    expect((await here.boot()).code).toBe(0);
    expect(
      here
        .journal()
        .find(({ name }) => name === "bundle")
        ?.lines.join("\n"),
    ).toMatch(/refused what s3:.* gave: its checksum is \w{64}, wanted is \w{64}\nfetched from http/);
  });

  it("names the bundle that was made for another processor", async () => {
    await here.gone();
    here = await machine(smallBundle("sparc"));
    here.born(birthOf());
    expect((await here.boot()).code).not.toBe(0);
    expect(here.journal().at(-1)).toMatchObject({ name: "bundle" });
    expect(here.journal().at(-1)?.lines.at(-1)).toMatch(/made for sparc, this machine is/);
  });

  it("installs nothing on a baked image, and says what it lacks", async () => {
    here.born(birthWith(["router"], { baked: true }));
    expect((await here.boot()).code).not.toBe(0);
    expect(here.journal().at(-1)?.lines.join("\n")).toMatch(/missing: .*haproxy.*\n.*bake it again/);
    expect(here.calls().join("\n")).not.toContain("apt-get");
    writeFileSync(here.path("installed"), "ca-certificates\ncurl\nhaproxy\nnftables\n");
    expect((await here.boot()).code).toBe(0);
  });

  it("takes settings of the image", async () => {
    writeFileSync(here.path("etc/tutti/boot.env"), `TUTTI_S3=${here.mirror.url}\n`);
    here.mirror.failing = { status: 404, times: 4 };
    expect((await here.boot()).code).toBe(0);
    expect(here.bucket.requests).toBe(0);
  });
});
