import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { watch } from "../../bootstrap/commands.ts";
import { keptAuthority } from "../../cli/bootstrap/keep.ts";
import { type TestApi, testApi } from "../support/controller.ts";
import { type Machine, machine } from "../support/firstContact.ts";
import { run } from "../support/solo.ts";
import { type KeyPair, keyPair } from "../support/sshd.ts";
import { toolsBin } from "../support/tools.ts";
import { type Benchmark, type Figure, median, pairs, spreadOf } from "./harness.ts";

const many = 20;
/** Milliseconds: short, for a boot. */
const boot = 3000;
const seconds = (times: readonly number[]) => (median(times) / 1000).toFixed(2);
const cluster = "trio";
const password = "correct horse battery";
const bin = fileURLToPath(new URL("../../bin/tutti.mjs", import.meta.url));
const playbook = join(toolsBin, "ansible-playbook");

interface Hosts {
  readonly work: string;
  readonly key: KeyPair;
  /** The first is core and controller, the others are DEAs. */
  readonly machines: readonly Machine[];
  gone(): Promise<void>;
}

async function hosts(): Promise<Hosts> {
  const work = mkdtempSync(join(tmpdir(), "tutti-bench-"));
  const key = keyPair(work, "id_bench");
  const kept = await keptAuthority({ TUTTI_HOME: work }, cluster, true);
  const claim = { id: "x.1", roles: ["core"], expires: "2026-01-01T00:00:00Z", secret: "x" };
  const join_ = { cores: ["127.0.0.1"], ca: kept?.certificate ?? "", claim, instance: "m-1" };
  const machines: Machine[] = [];
  for (let i = 0; i < many; i++) {
    const facts = i === 0 ? { name: "lead-0" } : { name: `dea-${i}`, roles: ["dea"] as const };
    machines.push(await machine({ ...facts, join: join_, authorized: [key.publicLine] }));
  }
  writeFileSync(join(work, "known_hosts"), machines.map(({ known }) => known).join(""));
  const gone = async () => {
    for (const one of machines) await one.gone();
    rmSync(work, { recursive: true, force: true });
  };
  return { work, key, machines, gone };
}

const authorityFile = "var/lib/tutti/node/identity/authority.json";

interface Timing {
  readonly contact: () => Promise<unknown>;
  /** Milliseconds after which the nodes are ready, as machines that boot are; absent: they are. */
  readonly boot?: number | undefined;
}

/** Everything as it is before the first contact, with a controller that nobody has claimed. Milliseconds that `contact` takes. */
async function timed({ machines }: Hosts, { contact, boot = 0 }: Timing): Promise<number> {
  const api: TestApi = await testApi({ licensed: false });
  const port = Number(new URL(await api.listen()).port);
  for (const one of machines) {
    rmSync(join(one.root, authorityFile), { force: true });
    one.write("etc/shadow", "root:*:1::::::\nstackato:$6$salt$hash:1::::::\n");
    one.write(
      "etc/tutti/node.json",
      one.read("etc/tutti/node.json").replace(/"controller":\s*\d+/, `"controller": ${port}`),
    );
  }
  const say = (state: string) => {
    for (const one of machines) one.agent(["core", "controller"].map((name) => ({ name, state })));
  };
  say(boot > 0 ? "starting" : "ready");
  setTimeout(() => say("ready"), boot);
  const began = performance.now();
  await contact();
  const took = performance.now() - began;
  const lead = machines[0] as Machine;
  const { body } = await api.ask("GET", "/stackato/license", { anonymous: true });
  if (!body.licensed || !existsSync(join(lead.root, authorityFile))) throw new Error("the contact came to nothing");
  await api.close();
  return took;
}

/** `tutti bootstrap` of the first `count` hosts, as a person runs it, in a home that knows the cluster's seed and nothing else. */
function ours(there: Hosts, count: number, boot?: number): Promise<number> {
  const { work, key, machines } = there;
  const named = machines.slice(0, count).flatMap(({ target }) => ["--host", `${target.user}@127.0.0.1:${target.port}`]);
  const args = [bin, "bootstrap", ...named, "--identity", key.file, "--known-hosts", join(work, "known_hosts")];
  const { SSH_AUTH_SOCK: _, ...bare } = process.env;
  const env = { ...bare, TUTTI_HOME: join(work, "home"), STACKATO_EMAIL: "me@tutti.test", STACKATO_PASSWORD: password };
  rmSync(env.TUTTI_HOME, { recursive: true, force: true });
  mkdirSync(join(env.TUTTI_HOME, "bootstrap"), { recursive: true });
  const contact = async () => {
    await run("cp", [join(work, "bootstrap", `authority-${cluster}.json`), join(env.TUTTI_HOME, "bootstrap")]);
    const { code, error } = await run(process.execPath, args, { env });
    if (code !== 0) throw new Error(`tutti bootstrap ended with ${code}:\n${error}`);
  };
  return timed(there, { contact, boot });
}

/** The same files and commands as a playbook: look, bring the authority, start anew, wait, claim, log in, replace the password. */
function playbookText({ machines, work }: Hosts): string {
  const lead = machines[0] as Machine;
  const look = { "ansible.builtin.shell": watch({ within: 600 }).command, changed_when: false };
  const form = (path: string, body: object, more = {}) => ({
    "ansible.builtin.uri": {
      url: `http://127.0.0.1:{{ controller }}${path}`,
      method: "POST",
      body_format: "form-urlencoded",
      body,
      ...more,
    },
    when: "inventory_hostname == groups['all'][0]",
  });
  const first = "inventory_hostname == groups['all'][0]";
  const authority = join(lead.root, authorityFile);
  const tasks = [
    { ...look, "ansible.builtin.shell": watch({ within: 600, once: true }).command },
    { "ansible.builtin.file": { path: join(authority, ".."), state: "directory", mode: "0700" }, when: first },
    {
      "ansible.builtin.copy": {
        src: join(work, "bootstrap", `authority-${cluster}.json`),
        dest: authority,
        mode: "0600",
      },
      when: first,
    },
    { "ansible.builtin.command": "systemctl restart tutti.service", when: first },
    look,
    form(
      "/stackato/license",
      { email: "me@tutti.test", password, unix_password: password },
      { status_code: [200, 201] },
    ),
    form(
      "/oauth/token",
      { grant_type: "password", username: "me@tutti.test", password },
      { url_username: "cf", url_password: "", force_basic_auth: true },
    ),
    { "ansible.builtin.command": { cmd: "chpasswd", stdin: `stackato:${password}` } },
  ];
  // JSON is YAML too.
  return JSON.stringify([{ hosts: "all", gather_facts: false, tasks }]);
}

function theirs(there: Hosts): Promise<number> {
  const { work, key, machines } = there;
  const inventory = machines.map(
    ({ target: { name, port, user } }) => `${name} ansible_host=127.0.0.1 ansible_port=${port} ansible_user=${user}`,
  );
  writeFileSync(join(work, "inventory"), `${inventory.join("\n")}\n`);
  writeFileSync(join(work, "play.yml"), playbookText(there));
  // A place of its own for each run: what connections a run has left open must not help the next.
  const fresh = mkdtempSync(join(work, "run-"));
  const env = {
    ...process.env,
    ...{
      ANSIBLE_HOME: fresh,
      ANSIBLE_SSH_CONTROL_PATH_DIR: join(fresh, "cp"),
      ANSIBLE_PIPELINING: "True",
      ANSIBLE_FORKS: String(many),
    },
    ...{ ANSIBLE_PYTHON_INTERPRETER: "/usr/bin/python3", ANSIBLE_PRIVATE_KEY_FILE: key.file, ANSIBLE_NOCOLOR: "1" },
    ANSIBLE_SSH_COMMON_ARGS: `-o UserKnownHostsFile=${join(work, "known_hosts")} -o ControlPersist=15s`,
  };
  const contact = async () => {
    const port = /"controller":\s*(\d+)/.exec((machines[0] as Machine).read("etc/tutti/node.json"))?.[1];
    const args = ["-i", join(work, "inventory"), "-e", `controller=${port}`, join(work, "play.yml")];
    const { code, error, out } = await run(playbook, args, { env });
    if (code !== 0) throw new Error(`ansible-playbook ended with ${code}:\n${error}${out.slice(-4000)}`);
  };
  return timed(there, { contact });
}

/** First contact with 20 real sshd on loopback, against one of them and against what people would otherwise use. */
export const bootstrap: Benchmark = {
  name: "bootstrap",
  what: "seconds of `tutti bootstrap` for 20 ssh hosts, against one host and against ansible-core",
  async run(tell) {
    const there = await hosts();
    try {
      const bare = await pairs(
        5,
        () => ours(there, many),
        () => ours(there, 1),
      );
      tell(`${many} hosts ${seconds(bare.a)} s, one host ${seconds(bare.b)} s`);
      const booting = await pairs(
        3,
        () => ours(there, many, boot),
        () => ours(there, 1, boot),
      );
      tell(`${many} hosts that boot ${seconds(booting.a)} s, one ${seconds(booting.b)} s`);
      const figures: Figure[] = [
        {
          name: `first contact with ${many} hosts`,
          ...{ value: median(bare.a) / 1000, unit: "s", spread: spreadOf(bare.a.map((ms) => ms / 1000)) },
        },
        {
          name: `${many} hosts against one`,
          ...{ value: median(bare.ratios), unit: "times", goal: { atMost: 1.3 }, spread: spreadOf(bare.ratios) },
          compare: `${seconds(bare.b)} s for one host; the hosts' sshd share the cores of this machine`,
        },
        {
          name: `${many} hosts that boot for ${boot / 1000} s, against one`,
          ...{ value: median(booting.ratios), unit: "times", spread: spreadOf(booting.ratios) },
          compare: `${seconds(booting.b)} s for one such host`,
        },
      ];
      if (!existsSync(playbook)) throw new Error('ansible-core is not set up: run "node bin/setup.mjs --bench"');
      const other = await pairs(
        2,
        () => ours(there, many),
        () => theirs(there),
      );
      tell(`ansible-core ${(median(other.b) / 1000).toFixed(1)} s`);
      figures.push({
        name: `${many} hosts against ansible-core`,
        ...{ value: median(other.ratios), unit: "times", goal: { atMost: 0.15 }, spread: spreadOf(other.ratios) },
        compare: `${(median(other.b) / 1000).toFixed(1)} s with ${many} forks and pipelining`,
      });
      return figures;
    } finally {
      await there.gone();
    }
  },
};
