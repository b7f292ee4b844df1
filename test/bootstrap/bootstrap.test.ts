import { generateKeyPairSync, randomBytes } from "node:crypto";
import { chmodSync, statSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bootstrap } from "../../bootstrap/bootstrap.ts";
import type { BootstrapFault } from "../../bootstrap/fault.ts";
import { knownLines, nameOf } from "../../bootstrap/knownHosts.ts";
import type { BootstrapOptions, Progress } from "../../bootstrap/options.ts";
import { type Authority, authorityOf } from "../../pki/authority.ts";
import { refusal } from "../../pki/claim.ts";
import { issueLeaf } from "../../pki/leaf.ts";
import { fakeSsh } from "../support/fakeSsh.ts";
import {
  contactOptions,
  login,
  type Machine,
  type MachineOptions,
  machine,
  onRestart,
  type Stage,
  stage,
} from "../support/firstContact.ts";
import { consoleBlock, startSshd } from "../support/sshd.ts";

let scene: Stage;
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  scene = await stage();
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await scene.gone();
});

async function made(options: Partial<MachineOptions> = {}): Promise<Machine> {
  const one = await machine({ controller: scene.port, authorized: [scene.key.publicLine], ...options });
  ends.push(one.gone);
  return one;
}

const fault = (contact: Promise<unknown>) =>
  contact.then(
    () => {
      throw new Error("it was done");
    },
    (error: BootstrapFault) => error,
  );

const licensed = async () =>
  (await scene.api.ask("GET", "/stackato/license", { anonymous: true })).body.licensed as boolean;
const oldShadow = "root:*:1::::::\nstackato:$6$salt$hash:1::::::\n";
const authority = (cluster = "trio"): Authority =>
  authorityOf({ cluster, seed: randomBytes(32).toString("base64"), created: new Date().toISOString() });
const joining = (ca: string) => ({
  cores: ["127.0.0.1"],
  ca,
  claim: { id: "x.1", roles: ["core"], expires: "2026-01-01T00:00:00Z", secret: "old" },
  instance: "m-1",
});

describe("first contact", () => {
  it("makes the first user and logs in; the second time it finds that it is ours", async () => {
    const lead = await made();
    const first = await scene.contact([lead]);
    expect(first).toMatchObject({
      outcome: "done",
      cluster: "trio",
      api: "http://api.tutti.test:8080",
      email: login.email,
    });
    expect(first.nodes[0]).toMatchObject({
      id: "lead-0",
      hostKey: lead.sshd.hostKeys[0]?.fingerprint,
      roles: ["core", "controller"],
    });
    const mine = await scene.api.ask("GET", "/v3/spaces", { token: first.login.accessToken });
    expect(mine.body.resources[0].guid).toBe(first.login.space?.guid);
    expect(first.login.organization?.name).toBe("tutti");
    const second = await scene.contact([lead]);
    expect(second.outcome).toBe("already_ours");
  });

  it("knows a cluster of its own by the login that is kept, when nobody remembers the password", async () => {
    const lead = await made();
    const { login: tokens } = await scene.contact([lead]);
    const kept = { api: "http://api.tutti.test:8080", email: login.email, refreshToken: tokens.refreshToken ?? "" };
    const makeUp = () => {
      throw new Error("a password is made up for a cluster that has its first user");
    };
    expect((await scene.contact([lead], { login: { kept, makeUp } })).outcome).toBe("already_ours");
    const elsewhere = { ...kept, api: "http://api.other.test" };
    expect(await fault(scene.contact([lead], { login: { kept: elsewhere, makeUp } }))).toMatchObject({
      code: "claimed",
    });
  });

  it("makes a password up once, and only where there is no first user", async () => {
    const lead = await made();
    const passwords: string[] = [];
    const makeUp = () => {
      passwords.push(randomBytes(12).toString("hex"));
      return passwords.at(-1) ?? "";
    };
    const result = await scene.contact([lead], { login: { makeUp } });
    expect(result).toMatchObject({ outcome: "done", email: "you@tutti.test" });
    expect(passwords).toHaveLength(1);
    const again = { email: result.email, password: passwords[0] as string };
    expect((await scene.contact([lead], { login: again })).outcome).toBe("already_ours");
  });

  it("of many nodes happens side by side, and tells each one's roles and key", async () => {
    const lead = await made();
    const rest = await Promise.all(["dea-0", "dea-1", "dea-2"].map((name) => made({ name, roles: ["dea"] })));
    const { nodes, controller } = await scene.contact([...rest, lead]);
    expect(controller).toBe("lead-0");
    expect(nodes.map(({ name, roles }) => [name, ...roles])).toEqual([
      ["dea-0", "dea"],
      ["dea-1", "dea"],
      ["dea-2", "dea"],
      ["lead-0", "core", "controller"],
    ]);
    expect(new Set(nodes.map(({ hostKey }) => hostKey)).size).toBe(4);
  });

  it("pins the keys that the console tells, once it tells them, and hands them on to be remembered", async () => {
    const lead = await made();
    const console = ["", "booting", consoleBlock(lead.sshd.hostKeys)];
    const pinned: string[] = [];
    const { told } = await scene.contact([{ ...lead, known: "", target: { ...lead.target, instance: "i-0abc" } }], {
      console: async () => console.shift() ?? "",
      onPinned: ({ instance }, keys) => pinned.push(knownLines(instance ?? "", keys)),
    });
    expect(told.map(({ text }) => text).slice(0, 2)).toEqual(["no console yet", "no host keys on the console yet"]);
    expect(pinned).toEqual([knownLines("i-0abc", lead.sshd.hostKeys)]);
    const remembered = await scene.contact(
      [{ ...lead, known: pinned.join(""), target: { ...lead.target, instance: "i-0abc" } }],
      {
        console: async () => {
          throw new Error("the console is asked although the key is known");
        },
      },
    );
    expect(remembered.outcome).toBe("already_ours");
  });

  it("asks a person where no console tells, and goes no further when they say no", async () => {
    const lead = { ...(await made()), known: "" };
    expect(await fault(scene.contact([lead], { ask: async () => false }))).toMatchObject({
      code: "host_key_unknown",
      exit: 6,
    });
    expect(await licensed()).toBe(false);
    const shown: string[] = [];
    await scene.contact([lead], { ask: async (_target, key) => Boolean(shown.push(key.fingerprint)) });
    expect(shown).toEqual([lead.sshd.hostKeys[0]?.fingerprint]);
  });

  it("takes no more than three round trips to a node, whatever is to be done there", async () => {
    const ours = authority();
    const lead = await made({ join: joining(ours.certificate), ready: false });
    lead.write("etc/shadow", oldShadow);
    onRestart(lead, statusReady(lead));
    const { nodes } = await scene.contact([lead], {
      authority: async () => ours,
      login: { makeUp: () => "made up by chance" },
    });
    expect(nodes[0]).toMatchObject({ steps: ["password rotated", "authority delivered"], trips: 3 });
    const again = await scene.contact([lead], {
      authority: async () => ours,
      login: { email: "you@tutti.test", password: "made up by chance" },
    });
    expect(again.nodes[0]).toMatchObject({ steps: ["authority there", "password rotated"], trips: 3 });
  });
});

/** A systemctl that makes the agent ready. */
function statusReady(one: Machine): string {
  one.agent(["core", "controller"].map((name) => ({ name, state: "ready" })));
  const ready = one.read("var/lib/tutti/node/status.json");
  one.agent([{ name: "core", state: "failing", reason: "no authority" }]);
  return `printf '%s' '${ready}' >"$TUTTI_ROOT/var/lib/tutti/node/status.json"`;
}

describe("waiting", () => {
  it("goes on through a closed port, a boot and a start, and tells each reason", async () => {
    const lead = await made({ ready: false, node: false });
    lead.write("usr/local/lib/tutti/boot", "");
    const { work, port } = lead.sshd;
    await lead.sshd.stop();
    const told: Progress[] = [];
    const contact = scene.contact([lead], { told: (one) => told.push(one) });
    const says = async (text: string) =>
      await expect.poll(() => told.at(-1)?.text, { timeout: 10_000 }).toContain(text);
    await says("ssh port closed");
    const later = await startSshd({ work, port, authorized: [scene.key.publicLine], env: { TUTTI_ROOT: lead.root } });
    ends.push(later.stop);
    await says("the boot script has not begun");
    lead.write("var/lib/tutti/boot/result.json", { boot: "b", state: "running", step: "entry", exit: 0 });
    lead.write("var/lib/tutti/boot/bundle.log", "");
    await says("boot step bundle runs");
    lead.write("etc/tutti/node.json", nodeText(lead));
    lead.agent([{ name: "core", state: "starting" }]);
    lead.write("var/lib/tutti/boot/ready.log", "");
    await says("agent starting: core starting");
    lead.agent([{ name: "core", state: "ready" }]);
    expect((await contact).outcome).toBe("done");
  });

  const nodeText = ({ root }: Machine) =>
    JSON.stringify({
      ...{ id: "lead-0", cluster: "trio", domain: "tutti.test", roles: ["core", "controller"], address: "127.0.0.1" },
      ...{ home: join(root, "var/lib/tutti/node"), ports: { controller: scene.port, router: 8080 } },
    });

  it("comes again when the connection is lost on the way, as when the machine reboots", async () => {
    const lead = await made({ ready: false });
    const told: Progress[] = [];
    const contact = scene.contact([lead], { told: (one) => told.push(one) });
    await expect.poll(() => told.at(-1)?.text, { timeout: 10_000 }).toContain("the agent does not run");
    const { work, port } = lead.sshd;
    await lead.sshd.stop();
    await expect.poll(() => told.map(({ text }) => text).join(), { timeout: 10_000 }).toMatch(/lost.*closed/);
    lead.agent([{ name: "core", state: "ready" }]);
    const later = await startSshd({ work, port, authorized: [scene.key.publicLine], env: { TUTTI_ROOT: lead.root } });
    ends.push(later.stop);
    expect((await contact).outcome).toBe("done");
  });

  it("ends in time, with the node's name and its own lines", async () => {
    const lead = await made({ ready: false });
    lead.agent([{ name: "core", state: "failing", reason: "port 4222 is in use" }]);
    const error = await fault(scene.contact([lead], { timeout: 1500 }));
    expect(error).toMatchObject({ code: "not_ready", exit: 4 });
    expect(error.message).toContain("lead-0: not ready in time: agent starting: core (port 4222 is in use)");
  });

  it("does not wait for a boot that has failed: its last lines are told", async () => {
    const lead = await made({ ready: false, node: false });
    lead.write("var/lib/tutti/boot/result.json", { boot: "b", state: "failed", step: "bundle", exit: 7 });
    lead.write(
      "var/lib/tutti/boot/journal.jsonl",
      `${JSON.stringify({ boot: "b", name: "bundle", exit: 7, lines: ["no source has the agent"] })}\n`,
    );
    const error = await fault(scene.contact([lead]));
    expect(error).toMatchObject({ code: "not_ready", exit: 4 });
    expect(error.message).toBe("lead-0: boot step bundle failed with exit code 7\n    | no source has the agent");
  });

  it("does not wait for a machine that is no node", async () => {
    const lead = await made({ node: false });
    expect(await fault(scene.contact([lead]))).toMatchObject({ code: "not_a_node" });
  });

  it("does not keep the license step from a cluster of which one node is missing; that one is named", async () => {
    const lead = await made();
    const dea = await made({ name: "dea-0", roles: ["dea"], ready: false });
    dea.agent([{ name: "dea", state: "starting" }]);
    const done: string[] = [];
    const contact = scene.contact([lead, dea], { timeout: 2000, onLicensed: ({ outcome }) => done.push(outcome) });
    const error = await fault(contact);
    expect(error).toMatchObject({ code: "not_ready", exit: 4 });
    expect(error.message).toMatch(/^dea-0: /);
    expect(done).toEqual(["done"]);
    dea.agent([{ name: "dea", state: "ready" }]);
    expect((await scene.contact([lead, dea])).outcome).toBe("already_ours");
  });

  it("ends when no node has a controller, and names every node's trouble when none can be reached", async () => {
    const dea = await made({ name: "dea-0", roles: ["dea"] });
    expect(await fault(scene.contact([dea]))).toMatchObject({ code: "no_controller" });
    const two = await made({ name: "dea-1", roles: ["dea"] });
    for (const one of [dea, two]) await one.sshd.stop();
    const error = await fault(scene.contact([dea, two], { timeout: 300 }));
    expect(error).toMatchObject({ code: "ssh_refused", exit: 5 });
    expect(error.message.split("\n")).toHaveLength(2);
  });
});

describe("whose cluster it is", () => {
  it("is not decided twice: somebody else's is left as it is", async () => {
    const lead = await made();
    lead.write("etc/shadow", oldShadow);
    await scene.contact([lead], { login: { email: "eve@tutti.test", password: "I was here first" } });
    const before = lead.calls("chpasswd");
    for (const other of [login, { ...login, email: "eve@tutti.test" }]) {
      const error = await fault(scene.contact([lead], { login: other }));
      expect(error).toMatchObject({ code: "claimed", exit: 3 });
      expect(error.message).not.toContain(other.password);
    }
    expect(lead.calls("chpasswd")).toBe(before);
  });

  it("is decided for one of many who come at the same moment", async () => {
    const lead = await made();
    const emails = Array.from({ length: 6 }, (_, i) => `${i}@tutti.test`);
    const tries = emails.map((email) => scene.contact([lead], { login: { email, password: login.password } }));
    const ended = await Promise.allSettled(tries);
    const won = ended.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
    expect(won.map(({ outcome }) => outcome)).toEqual(["done"]);
    for (const end of ended) if (end.status === "rejected") expect(end.reason).toMatchObject({ code: "claimed" });
  });

  it("is told to nobody in between: when one node's key differs, everything stops, with both fingerprints", async () => {
    const lead = await made({ ready: false });
    lead.agent([{ name: "core", state: "starting" }]);
    const evil = await fakeSsh();
    ends.push(evil.close);
    const dea = { ...lead, target: { ...lead.target, name: "dea-0", port: evil.port } };
    const known = knownLines(nameOf("127.0.0.1", evil.port), lead.sshd.hostKeys) + lead.known;
    const error = await fault(scene.contact([lead, dea], { knownHosts: known }));
    expect(error).toMatchObject({ code: "host_key_differs", exit: 6 });
    expect(error.message).toContain(lead.sshd.hostKeys[0]?.fingerprint);
    expect(error.message).toContain(evil.hostKeys[0]?.fingerprint);
    expect(error.message).toMatch(/^dea-0: [^\n]*$/);
    expect(await licensed()).toBe(false);
    expect(evil.seen).toEqual([]);
  });
});

describe("the old password of a machine", () => {
  it("is replaced where there is one, after the license step, and not again once that is on record", async () => {
    const lead = await made();
    const dea = await made({ name: "dea-0", roles: ["dea"] });
    for (const one of [lead, dea]) one.write("etc/shadow", oldShadow);
    const { nodes } = await scene.contact([lead, dea], { login: { ...login, unixPassword: "another one" } });
    expect(nodes.map(({ steps }) => steps)).toEqual([["password rotated"], ["password rotated"]]);
    for (const one of [lead, dea]) expect(one.calls("chpasswd").trim()).toBe("stackato:another one");
    const rotated = new Set(nodes.map((node) => node.machine));
    const again = await scene.contact([lead, dea], { rotated });
    expect(again.nodes.map(({ steps }) => steps)).toEqual([[], []]);
  });

  it("that cannot be replaced is told, with the node's name", async () => {
    const lead = await made();
    lead.write("etc/shadow", oldShadow);
    lead.write("../bin/chpasswd.then", "#!/bin/sh\necho 'chpasswd: no such user' >&2\nexit 1\n");
    chmodSync(join(lead.root, "../bin/chpasswd.then"), 0o755);
    const error = await fault(scene.contact([lead]));
    expect(error).toMatchObject({ code: "step_failed" });
    expect(error.message).toContain("lead-0: the step settle ended with code 1: chpasswd: no such user");
  });
});

describe("the cluster's identity", () => {
  it("is brought to a core that lacks it: whole, for root only, never over one that is there", async () => {
    const ours = authority();
    const lead = await made({ join: joining(ours.certificate), ready: false });
    onRestart(lead, statusReady(lead));
    const { nodes } = await scene.contact([lead], { authority: async () => ours });
    expect(nodes[0]?.steps).toEqual(["authority delivered"]);
    const path = "var/lib/tutti/node/identity/authority.json";
    expect(JSON.parse(lead.read(path))).toEqual(ours);
    expect(statSync(join(lead.root, path)).mode & 0o777).toBe(0o600);
    expect(statSync(join(lead.root, path, "..")).mode & 0o777).toBe(0o700);
    expect(lead.calls("systemctl").trim()).toBe("restart tutti.service");
    const other = await scene.contact([lead], { authority: async () => authority() });
    expect(other.nodes[0]?.steps).toEqual(["authority there"]);
    expect(JSON.parse(lead.read(path))).toEqual(ours);
  });

  it("is made for a cluster that does not exist yet: every node is told whom to trust, and gets a claim", async () => {
    const ours = authority();
    const lead = await made({ join: joining(""), ready: false });
    const dea = await made({ name: "dea-0", roles: ["dea"], join: joining(""), ready: false });
    for (const one of [lead, dea]) onRestart(one, statusReady(one));
    const asked: boolean[] = [];
    await scene.contact([lead, dea], {
      authority: async (_cluster, make) => {
        asked.push(make);
        return ours;
      },
    });
    expect(asked).toEqual([true, true]);
    for (const [one, id] of [
      [lead, "lead-0"],
      [dea, "dea-0"],
    ] as const) {
      const { join: told, roles } = JSON.parse(one.read("etc/tutti/node.json"));
      expect(told.claim.roles).toEqual(roles);
      expect(told).toMatchObject({ ca: ours.certificate, cores: ["127.0.0.1"], instance: "m-1" });
      expect(refusal(told.claim, { join: ours.join, node: id, now: Date.now() })).toBeUndefined();
      expect(statSync(join(one.root, "etc/tutti/node.json")).mode & 0o777).toBe(0o600);
    }
    expect(dea.has("var/lib/tutti/node/identity/authority.json")).toBe(false);
  });

  it("is not brought where another is trusted, nor to EC2, where machines fetch it themselves", async () => {
    const lead = await made({ join: joining(authority().certificate), ready: false });
    lead.agent([{ name: "core", state: "failing", reason: "no authority" }]);
    const ours = async () => authority();
    expect(await fault(scene.contact([lead], { authority: ours }))).toMatchObject({ code: "authority_differs" });
    const onEc2 = { ...lead, target: { ...lead.target, instance: "i-0a" } };
    expect(await fault(scene.contact([onEc2], { authority: ours, timeout: 1000 }))).toMatchObject({
      code: "not_ready",
    });
    expect(lead.has("var/lib/tutti/node/identity/authority.json")).toBe(false);
  });
});

describe("a controller that speaks TLS", () => {
  async function secured(by: Authority): Promise<number> {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const pem = (key: typeof privateKey, type: "pkcs8" | "spki") => key.export({ type, format: "pem" }).toString();
    const cert = issueLeaf({
      authority: by,
      key: pem(publicKey, "spki"),
      node: "lead-0",
      address: "127.0.0.1",
      now: Date.now(),
    });
    const server: Server = createServer({ key: pem(privateKey, "pkcs8"), cert }, (incoming, outgoing) => {
      const { method, url, headers } = incoming;
      const inner = httpRequest({ host: "127.0.0.1", port: scene.port, method, path: url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(inner);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ends.push(() => server.close());
    return (server.address() as { port: number }).port;
  }

  it("is believed by the cluster's own authority, and by nothing else", async () => {
    const ours = authority();
    const port = await secured(ours);
    const good = await made({ controller: port, join: joining(ours.certificate) });
    // Its status says that a controller runs here: only then its port is looked at.
    good.agent([{ name: "controller", state: "ready" }]);
    good.write("var/lib/tutti/node/identity/authority.json", "{}");
    expect(await scene.contact([good])).toMatchObject({ outcome: "done", nodes: [{ trips: 2 }] });
    const bad = await made({ controller: await secured(authority()), join: joining(ours.certificate) });
    const error = await fault(scene.contact([bad], { timeout: 1500 }));
    expect(error).toMatchObject({ code: "license_failed" });
    expect(error.message).toMatch(/certificate/);
  });

  it("is spoken to plainly where it still speaks plainly", async () => {
    const ours = authority();
    const lead = await made({ join: joining(ours.certificate) });
    lead.write("var/lib/tutti/node/identity/authority.json", "{}");
    expect(await scene.contact([lead])).toMatchObject({ outcome: "done", nodes: [{ trips: 2 }] });
  });
});

describe("an interruption", () => {
  /** Stops at the n-th thing that is told, asked or done; resolves to whether it came so far. */
  async function cutAt(n: number, lead: Machine, more: Partial<BootstrapOptions>): Promise<boolean> {
    const stop = new AbortController();
    let seen = 0;
    const count = <T>(value: T): T => {
      if (++seen === n) stop.abort();
      return value;
    };
    const options: Partial<BootstrapOptions> = {
      ...more,
      stop: stop.signal,
      onPinned: () => count(undefined),
      onLicensed: () => count(undefined),
      told: () => count(undefined),
      authority: async (cluster, make) => count(await more.authority?.(cluster, make)),
    };
    await bootstrap(contactOptions(scene.key, [lead], options)).catch((error: BootstrapFault) => {
      if (!stop.signal.aborted) throw error;
    });
    return seen >= n;
  }

  it("at any point does no harm: the next run goes on, and the one after finds nothing to do", async () => {
    const ours = authority();
    let cuts = 0;
    for (let n = 1; ; n++) {
      const lead = await made({ join: joining(ours.certificate), ready: false });
      lead.write("etc/shadow", oldShadow);
      onRestart(lead, statusReady(lead));
      const email = `${n}@tutti.test`;
      const other = await stage();
      const more = { authority: async () => ours, login: { ...login, email } };
      lead.write(
        "etc/tutti/node.json",
        lead.read("etc/tutti/node.json").replace(String(scene.port), String(other.port)),
      );
      const cut = await cutAt(n, lead, more);
      const next = await scene.contact([lead], more);
      expect(["done", "already_ours"]).toContain(next.outcome);
      expect(JSON.parse(lead.read("var/lib/tutti/node/identity/authority.json"))).toEqual(ours);
      expect(lead.calls("chpasswd")).toContain(`stackato:${login.password}`);
      expect((await scene.contact([lead], more)).outcome).toBe("already_ours");
      await other.gone();
      if (!cut) break;
      cuts++;
    }
    expect(cuts).toBeGreaterThanOrEqual(4);
  });
});
