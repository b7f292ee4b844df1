import { existsSync, globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepPending } from "../../cli/bootstrap/keep.ts";
import { fakeSsh } from "../support/fakeSsh.ts";
import { login, type Machine, type MachineOptions, machine, type Stage, stage } from "../support/firstContact.ts";
import { freePort, keyPair } from "../support/sshd.ts";
import { atTerminal } from "../support/terminal.ts";
import { type Person, person } from "../support/tutti.ts";

let scene: Stage;
let me: Person;
const ends: (() => unknown)[] = [];

beforeEach(async () => {
  scene = await stage();
  me = await person();
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
  await scene.gone();
  await me.gone();
});

async function made(options: Partial<MachineOptions> = {}): Promise<Machine> {
  const one = await machine({ controller: scene.port, authorized: [scene.key.publicLine], ...options });
  ends.push(one.gone);
  return one;
}

const inHome = (path: string) => join(me.home, path);
const hostOf = ({ target }: Machine) => `${target.user}@127.0.0.1:${target.port}`;

/** What a person types for this machine. */
function line(lead: Machine, ...more: string[]): string[] {
  writeFileSync(inHome("hosts"), lead.known);
  return ["bootstrap", "--host", hostOf(lead), "--identity", scene.key.file, "--known-hosts", inHome("hosts"), ...more];
}

const secret = { STACKATO_EMAIL: login.email, STACKATO_PASSWORD: login.password };
const receipts = () => globSync(inHome("bootstrap/receipt-*.json"));
const modeOf = (file: string) => statSync(file).mode & 0o777;
const kept = () => globSync(`${me.home}/**/*`).filter((file) => statSync(file).isFile());

describe("tutti bootstrap", () => {
  it("makes the first user of the environment, logs in, and leaves a receipt without a secret", async () => {
    const lead = await made();
    const { code, out, err } = await me.tutti(line(lead), { env: secret });
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(out).toContain("trio is yours");
    const config = JSON.parse(readFileSync(inHome("config.json"), "utf8"));
    expect(config).toMatchObject({ target: "http://api.tutti.test:8080", user: login.email, space: { name: "dev" } });
    const [receipt = ""] = receipts();
    expect(JSON.parse(readFileSync(receipt, "utf8"))).toMatchObject({
      ...{ cluster: "trio", api: "http://api.tutti.test:8080", email: login.email },
      nodes: [{ id: "lead-0", hostKey: lead.sshd.hostKeys[0]?.fingerprint }],
    });
    for (const file of [receipt, inHome("config.json"), inHome("known_hosts")]) expect(modeOf(file)).toBe(0o600);
    for (const file of kept()) expect(readFileSync(file, "utf8")).not.toContain(login.password);
    expect(out + err).not.toContain(login.password);
    expect(readFileSync(receipt, "utf8")).not.toMatch(/token/i);
  });

  it("says that it is already ours the second time, with no password and no known hosts named", async () => {
    const lead = await made();
    await me.tutti(line(lead), { env: secret });
    const [receipt = ""] = receipts();
    const { since } = JSON.parse(readFileSync(receipt, "utf8"));
    const { code, out } = await me.tutti(["bootstrap", "--host", hostOf(lead), "--identity", scene.key.file]);
    expect(code).toBe(0);
    expect(out).toContain("trio is already yours");
    expect(receipts()).toEqual([receipt]);
    expect(JSON.parse(readFileSync(receipt, "utf8")).since).toBe(since);
  });

  it("makes a password up, shows it once, and answers in one object with --json", async () => {
    const lead = await made();
    const ran = await me.tutti(line(lead, "--json", "--email", "ann@tutti.test"));
    const said = ran.json() as unknown as {
      ok: boolean;
      outcome: string;
      email: string;
      password: string;
      nodes: { trips: number }[];
    };
    expect(said).toMatchObject({ ok: true, outcome: "done", email: "ann@tutti.test" });
    expect(ran.out.trim().split("\n")).toHaveLength(1);
    expect(said.nodes[0]?.trips).toBeLessThanOrEqual(3);
    for (const file of kept()) expect(readFileSync(file, "utf8")).not.toContain(said.password);
    const again = await me.tutti(line(lead, "--json"));
    expect(again.json()).toMatchObject({ ok: true, outcome: "already_ours" });
    expect(again.out).not.toContain("password");
    const other = await person();
    ends.push(other.gone);
    const elsewhere = await other.tutti(line(lead), {
      env: { STACKATO_EMAIL: said.email, STACKATO_PASSWORD: said.password },
    });
    expect(elsewhere.out).toContain("already yours");
  });

  it("goes on with the password that a run which was cut off has made up, and shows that one", async () => {
    const lead = await made();
    const target = { name: "x", host: "127.0.0.1", port: lead.target.port, user: "x" };
    keepPending({ TUTTI_HOME: me.home }, [target], { email: "ann@tutti.test", password: "made up before" });
    // It was cut off behind the license step.
    await scene.contact([lead], { login: { email: "ann@tutti.test", password: "made up before" } });
    const other = await me.tutti(line(lead, "--email", "ben@tutti.test"));
    expect(other.err).toContain("made up a password for ann@tutti.test");
    const { code, out, err } = await me.tutti(line(lead));
    expect(code).toBe(0);
    expect(err).toContain("shown this once: made up before");
    expect(out).toContain("already yours");
    expect(globSync(inHome("bootstrap/pending-*"))).toEqual([]);
  });

  it("takes the form from a file, and gives the machine's old user the unix password", async () => {
    const lead = await made();
    lead.write("etc/shadow", "stackato:$6$x$y:1::::::\n");
    const form = inHome("license");
    writeFileSync(form, "email=form@tutti.test\npassword=from the form itself\nunix_password=for the machine\n");
    const { code } = await me.tutti(line(lead, "--license", form));
    expect(code).toBe(0);
    expect(lead.calls("chpasswd").trim()).toBe("stackato:for the machine");
    writeFileSync(form, "{ not json");
    const bad = await me.tutti(line(lead, "--license", form));
    expect(bad).toMatchObject({ code: 1, err: expect.stringContaining("is no form") });
  });

  it("only looks with --plan: exit 2 when there is something to do, 0 when not", async () => {
    const lead = await made({ ready: false });
    lead.write("etc/shadow", "stackato:$6$x$y:1::::::\n");
    lead.agent([{ name: "core", state: "starting" }]);
    const early = await me.tutti(line(lead, "--plan"));
    expect(early.code).toBe(2);
    expect(early.out).toMatch(
      /wait until it is ready: agent starting: core starting\n.*give the user stackato a new password/s,
    );
    lead.agent([{ name: "core", state: "ready" }]);
    const ready = await me.tutti(line(lead, "--plan", "--json"));
    expect(ready.code).toBe(2);
    expect(ready.json()).toMatchObject({
      ok: true,
      changes: true,
      nodes: [{ steps: ["take the license step", "give the user stackato a new password"] }],
    });
    expect((await scene.api.ask("GET", "/stackato/license", { anonymous: true })).body.licensed).toBe(false);
    expect(lead.calls("chpasswd")).toBe("");
    await me.tutti(line(lead), { env: secret });
    const after = await me.tutti(line(lead, "--plan"));
    expect(after).toMatchObject({ code: 0, out: expect.stringContaining("nothing to do") });
    await lead.sshd.stop();
    expect(await me.tutti(line(lead, "--plan"))).toMatchObject({
      code: 2,
      out: expect.stringContaining("wait for it: ssh port closed"),
    });
  });
});

describe("each end of it has an exit code of its own", () => {
  it("3: somebody else was first", async () => {
    const lead = await made();
    await scene.contact([lead], { login: { email: "eve@tutti.test", password: "I was here first" } });
    const { code, err } = await me.tutti(line(lead), { env: secret });
    expect({ code, err }).toMatchObject({ code: 3, err: expect.stringContaining("has its first user already") });
    expect(existsSync(inHome("config.json"))).toBe(false);
    expect(receipts()).toEqual([]);
  });

  it("4: not ready in time, with what it was waiting for", async () => {
    const lead = await made({ ready: false });
    lead.agent([{ name: "core", state: "failing", reason: "no room" }]);
    const { code, err } = await me.tutti(line(lead, "--timeout", "1"), { env: secret });
    expect({ code, err }).toMatchObject({ code: 4, err: expect.stringContaining("agent starting: core (no room)") });
  });

  it("5: no way in by ssh, and why", async () => {
    const lead = await made();
    const wrong = keyPair(scene.work, "id_wrong");
    const args = line(lead).map((word) => (word === scene.key.file ? wrong.file : word));
    expect(await me.tutti(args, { env: secret })).toMatchObject({
      code: 5,
      err: expect.stringContaining(`offered were ${wrong.file} SHA256:`),
    });
    await lead.sshd.stop();
    const closed = await me.tutti([...line(lead), "--json", "--timeout", "1"], { env: secret });
    expect(closed.code).toBe(5);
    expect(closed.json()).toMatchObject({ ok: false, error: { code: "ssh_refused" } });
  });

  it("6: a host key that nobody knows, or that is another", async () => {
    const lead = await made();
    const bare = line(lead).filter((word) => !/known-hosts|hosts$/.test(word));
    const unknown = await me.tutti(bare, { env: secret });
    expect(unknown).toMatchObject({ code: 6, err: expect.stringContaining(lead.sshd.hostKeys[0]?.fingerprint ?? "") });
    const evil = await fakeSsh();
    ends.push(evil.close);
    writeFileSync(inHome("hosts"), lead.known.replace(String(lead.target.port), String(evil.port)));
    const args = line(lead).map((word) => (word === hostOf(lead) ? `me@127.0.0.1:${evil.port}` : word));
    writeFileSync(inHome("hosts"), lead.known.replaceAll(String(lead.target.port), String(evil.port)));
    const differs = await me.tutti(args, { env: secret });
    expect(differs.code).toBe(6);
    for (const key of [...evil.hostKeys, ...lead.sshd.hostKeys]) expect(differs.err).toContain(key.fingerprint);
    expect(evil.seen).toEqual([]);
  });

  it("64: a line that is wrong", async () => {
    for (const args of [
      ["--host", "a b"],
      ["--host", "me@host:99999"],
      ["--host", "me@host", "--stack", "dev"],
      ["--host", "me@127.0.0.1", "--timeout", "soon"],
    ])
      expect(await me.tutti(["bootstrap", "--identity", scene.key.file, ...args])).toMatchObject({ code: 64 });
  });

  it("1: what else can be wrong with files", async () => {
    const host = ["bootstrap", "--host", `me@127.0.0.1:${await freePort()}`];
    const no = (args: string[]) => me.tutti([...host, ...args], { env: { HOME: me.home } });
    expect(await no([])).toMatchObject({ code: 1, err: expect.stringContaining("no ssh key to log in with") });
    expect(await no(["--identity", "/nowhere"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("cannot be read"),
    });
    expect(await no(["--identity", `${scene.key.file}.pub`])).toMatchObject({
      code: 1,
      err: expect.stringContaining("no private key"),
    });
    expect(await no(["--identity", scene.key.file, "--known-hosts", "/nowhere"])).toMatchObject({ code: 1 });
  });
});

describe("at a terminal", () => {
  it("asks for the passphrase, the user, the password and the host key; none of the secrets is shown", async () => {
    const closed = keyPair(scene.work, "id_closed", { passphrase: "open sesame" });
    const lead = await made({ authorized: [closed.publicLine] });
    const env = { TUTTI_HOME: me.home, HOME: me.home };
    const terminal = atTerminal(["bootstrap", "--host", hostOf(lead), "--identity", closed.file], env);
    await terminal.sees(`Passphrase of ${closed.file}:`);
    terminal.types("wrong");
    await terminal.sees("Passphrase of");
    terminal.types("open sesame");
    await terminal.sees("E-mail address");
    terminal.types("ann@tutti.test");
    await terminal.sees("Password of the first user");
    terminal.types("typed by hand");
    await terminal.sees(lead.sshd.hostKeys[0]?.fingerprint ?? "");
    await terminal.sees("Type yes, or the fingerprint");
    terminal.types(lead.sshd.hostKeys[0]?.fingerprint ?? "");
    expect(await terminal.code).toBe(0);
    expect(terminal.screen()).toContain("trio is yours");
    for (const said of ["open sesame", "typed by hand"]) expect(terminal.screen()).not.toContain(said);
  });

  it("goes no further when the person does not know the key", async () => {
    const lead = await made();
    const env = { TUTTI_HOME: me.home, HOME: me.home, ...secret };
    const terminal = atTerminal(["bootstrap", "--host", hostOf(lead), "--identity", scene.key.file], env);
    await terminal.sees("Type yes, or the fingerprint");
    terminal.types("y");
    expect(await terminal.code).toBe(6);
    expect(existsSync(inHome("known_hosts"))).toBe(false);
  });
});
