import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootstrap } from "../../bootstrap/bootstrap.ts";
import { knownLines, nameOf } from "../../bootstrap/knownHosts.ts";
import type { BootstrapOptions, BootstrapResult, Progress } from "../../bootstrap/options.ts";
import type { Target } from "../../bootstrap/target.ts";
import type { RoleName } from "../../roles/role.ts";
import { type TestApi, testApi } from "./controller.ts";
import { type KeyPair, keyPair, offerOf, type Sshd, type SshdOptions, startSshd } from "./sshd.ts";

/** A machine that can be contacted: real sshd, our files below a directory, and behind them whatever the test wants. */
export interface Machine {
  readonly sshd: Sshd;
  readonly root: string;
  readonly target: Target;
  /** Lines of known hosts. */
  readonly known: string;
  write(path: string, content: string | object): void;
  read(path: string): string;
  has(path: string): boolean;
  /** The agent as it tells of itself; `alive: false` is one that has gone. */
  agent(components: readonly { name: string; state: string; reason?: string }[], alive?: boolean): void;
  /** Calls of systemctl and chpasswd so far, with what they read. */
  calls(name: "systemctl" | "chpasswd"): string;
  gone(): Promise<void>;
}

export interface MachineOptions {
  readonly name?: string;
  readonly roles?: readonly RoleName[];
  /** Port of the controller. */
  readonly controller?: number;
  readonly join?: object;
  readonly authorized: readonly string[];
  readonly sshd?: SshdOptions;
  /** Default: everything of the roles is ready. */
  readonly ready?: boolean;
  /** False: the machine is no node yet. */
  readonly node?: boolean;
}

const idle = { index: 0, zone: "default", beat: 1000, memory: 64, disk: 64 };

/** node.json as the boot writes it. */
export function nodeJson(facts: {
  id: string;
  roles: readonly RoleName[];
  home: string;
  controller: number;
  join?: object | undefined;
}) {
  const { id, roles, home, controller, join: joining } = facts;
  const ports = { router: 8080, controller, nats: 0, files: 0, instances: { first: 20000, last: 20099 } };
  return {
    id,
    cluster: "trio",
    domain: "tutti.test",
    roles,
    address: "127.0.0.1",
    home,
    tools: "/nowhere",
    ports,
    ...idle,
    join: joining,
  };
}

export async function machine(options: MachineOptions): Promise<Machine> {
  const { name = "lead-0", roles = ["core", "controller"], controller = 9, join: joining, ready = true } = options;
  const work = mkdtempSync(join(tmpdir(), "tutti-machine-"));
  const root = join(work, "root");
  const home = join(root, "var/lib/tutti/node");
  for (const path of ["etc/tutti", "var/lib/tutti/node"]) mkdirSync(join(root, path), { recursive: true });
  const bin = join(work, "bin");
  mkdirSync(bin);
  for (const program of ["systemctl", "chpasswd"]) {
    const reads = program === "chpasswd" ? 'cat >>"$0.calls"' : "";
    writeFileSync(
      join(bin, program),
      `#!/bin/sh\necho "$@" >>"$0.calls"\n${reads}\n[ ! -x "$0.then" ] || exec "$0.then"\n`,
    );
    chmodSync(join(bin, program), 0o755);
  }
  const sshd = await startSshd({
    authorized: options.authorized,
    env: { PATH: `${bin}:${process.env["PATH"]}`, TUTTI_ROOT: root },
    work: join(work, "ssh"),
    ...options.sshd,
  });
  const write: Machine["write"] = (path, content) => {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
  };
  const agent = spawn("sh", ["-c", "read _", "agent/main.mjs"], { stdio: ["pipe", "ignore", "ignore"] });
  const self: Machine = {
    ...{ sshd, root, write },
    target: { name, host: "127.0.0.1", port: sshd.port, user: sshd.user },
    known: knownLines(nameOf("127.0.0.1", sshd.port), sshd.hostKeys),
    read: (path) => readFileSync(join(root, path), "utf8"),
    has: (path) => existsSync(join(root, path)),
    agent: (components, alive = true) =>
      write("var/lib/tutti/node/status.json", { pid: alive ? agent.pid : 999_999, components }),
    calls: (program) =>
      existsSync(join(bin, `${program}.calls`)) ? readFileSync(join(bin, `${program}.calls`), "utf8") : "",
    async gone() {
      agent.kill();
      await sshd.stop();
      rmSync(work, { recursive: true, force: true });
    },
  };
  if (options.node !== false) {
    write(
      "etc/tutti/node.json",
      `${JSON.stringify(nodeJson({ id: name, roles, home, controller, join: joining }), undefined, 2)}\n`,
    );
    if (ready) self.agent(roles.map((role) => ({ name: role, state: "ready" })));
  }
  return self;
}

/** What systemctl does on this machine when it is called, as a shell script. */
export function onRestart({ sshd }: Machine, script: string): void {
  const file = join(sshd.work, "..", "bin", "systemctl.then");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

/** A person with a key, and the real API of a controller that nobody has claimed. */
export interface Stage {
  readonly key: KeyPair;
  readonly work: string;
  readonly api: TestApi;
  readonly port: number;
  /** First contact with these machines. */
  contact(
    machines: readonly Machine[],
    more?: Partial<BootstrapOptions>,
  ): Promise<BootstrapResult & { told: Progress[] }>;
  gone(): Promise<void>;
}

export const login = { email: "me@tutti.test", password: "correct horse battery" };

export async function stage(): Promise<Stage> {
  const work = mkdtempSync(join(tmpdir(), "tutti-stage-"));
  const key = keyPair(work, "id_me");
  const api = await testApi({ licensed: false });
  const port = Number(new URL(await api.listen()).port);
  return {
    ...{ key, work, api, port },
    async contact(machines, more) {
      const told: Progress[] = [];
      const result = await bootstrap(contactOptions(key, machines, { told: (one) => told.push(one), ...more }));
      return { ...result, told };
    },
    async gone() {
      await api.close();
      rmSync(work, { recursive: true, force: true });
    },
  };
}

export function contactOptions(
  key: KeyPair,
  machines: readonly Machine[],
  more?: Partial<BootstrapOptions>,
): BootstrapOptions {
  return {
    nodes: machines.map(({ target }) => target),
    keys: [offerOf(key)],
    knownHosts: machines.map(({ known }) => known).join(""),
    login,
    ...{ timeout: 20_000, pace: 50, patience: 8000 },
    ...more,
  };
}
