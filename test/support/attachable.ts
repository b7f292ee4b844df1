import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Membership, MemberView } from "../../agent/controller/engine/membership.ts";
import type { NodeView } from "../../agent/controller/engine.ts";
import { knownLines, nameOf } from "../../bootstrap/knownHosts.ts";
import { type Machine, machine, smallBundle } from "./cloudinit.ts";
import { type TestApi, testApi } from "./controller.ts";
import { keyPair, type Sshd, startSshd } from "./sshd.ts";
import { type Person, person, type Ran, type RunOptions } from "./tutti.ts";

/**
 * A machine with a real sshd and a directory for its root, and a cluster with a real API that hears of the machine what
 * its agent says: all that `tutti node …` needs around it.
 */
export interface Attachable {
  readonly machine: Machine;
  readonly sshd: Sshd;
  readonly test: TestApi;
  readonly me: Person;
  /** `user@127.0.0.1:port` */
  readonly address: string;
  /** Nodes beside the machine. */
  readonly others: NodeView[];
  readonly members: MemberView[];
  /** What the cores were asked. */
  readonly asked: string[];
  /** The cluster hears nothing of the machine. */
  deaf: boolean;
  /** Writes a bundle into a file with its proper name. */
  bundle(bytes: Buffer): string;
  tutti(line: string, options?: RunOptions): Promise<Ran>;
  gone(): Promise<void>;
}

export const claim = {
  id: "shelf-0.m1",
  roles: ["dea"],
  expires: "2031-01-01T00:00:00.000Z",
  secret: "hush-hush-hush",
};
const ports = {
  ...{ router: 80, controller: 9022, nats: 4222, routes: 6222, files: 12345 },
  ...{ instances: { first: 61001, last: 65000 }, status: { first: 9100, last: 9109 } },
};
const newcomer = { cluster: "trio", beat: 1000, crashLifetime: 3600, ports };

export const up = (id: string, roles: string[], more: Partial<NodeView> = {}): NodeView => ({
  ...{ id, roles, address: "127.0.0.1", version: "0.1.0", state: "UP", seen: Date.now() },
  components: roles.map((name) => ({ name, state: "ready", since: 1 })),
  ...more,
});

export async function attachable(): Promise<Attachable> {
  const work = mkdtempSync(join(tmpdir(), "tutti-attach-"));
  const here = await machine(Buffer.from("nobody fetches this"));
  mkdirSync(here.path("etc"), { recursive: true });
  writeFileSync(here.path("etc/machine-id"), "0123456789abcdef0123456789abcdef\n");
  const key = keyPair(work, "id_me");
  const env = { PATH: `${here.path("bin")}:${process.env["PATH"]}`, TUTTI_ROOT: here.root, TUTTI_PAUSE: "10" };
  const sshd = await startSshd({ authorized: [key.publicLine], work: join(work, "ssh"), env });
  const known = join(work, "known_hosts");
  writeFileSync(known, knownLines(nameOf("127.0.0.1", sshd.port), sshd.hostKeys));
  const self = {
    others: [up("lead-0", ["core", "controller", "router"])],
    members: [] as MemberView[],
    asked: [] as string[],
    deaf: false,
  };
  const test = await testApi({ more: { members: membership(self) } });
  test.engine.nodes = () => [...self.others, ...(self.deaf ? [] : heard(here))];
  const url = await test.listen();
  const me = await person();
  const login = { target: url, login: url, user: "me", accessToken: test.token };
  writeFileSync(join(me.home, "config.json"), JSON.stringify(login), { mode: 0o600 });
  const ssh = ["--identity", key.file, "--known-hosts", known];
  return Object.assign(self, {
    ...{ machine: here, sshd, test, me, address: `${sshd.user}@127.0.0.1:${sshd.port}` },
    bundle: (bytes: Buffer) => bundleFile(work, bytes),
    tutti: (line: string, options: RunOptions = {}) => {
      const words = line.split(" ").filter(Boolean);
      const more = ["attach", "upgrade", "remove", "explain"].includes(words[1] ?? "") ? ssh : [];
      return me.tutti([...words, ...more], { ...options, env: { TUTTI_ROOT: here.root, ...options.env } });
    },
    async gone() {
      await me.gone();
      await test.close();
      await sshd.stop();
      await here.gone();
      rmSync(work, { recursive: true, force: true });
    },
  });
}

function membership({ members, asked }: { members: MemberView[]; asked: string[] }): Membership {
  return {
    newcomer,
    all: async () => members,
    async claim(node, roles) {
      asked.push(`claim ${node} ${roles.join(",")}`);
      return {
        claim: { ...claim, id: `${node}.m${asked.length}`, roles: [...roles] },
        cores: ["127.0.0.1"],
        ca: "PEM",
      };
    },
    async revoke(node) {
      asked.push(`revoke ${node}`);
      return { revoked: node };
    },
  };
}

/** What the machine's agent says of itself is what the cluster hears: its bus is a file. */
function heard(here: Machine): NodeView[] {
  const read = <T>(path: string): T | undefined =>
    existsSync(here.path(path)) ? (JSON.parse(readFileSync(here.path(path), "utf8")) as T) : undefined;
  const node = read<Pick<NodeView, "id" | "address" | "roles">>("etc/tutti/node.json");
  const status = read<{ pid: number; components: NodeView["components"] }>("var/lib/tutti/node/status.json");
  if (!node || !status || !existsSync(`/proc/${status.pid}`)) return [];
  const { id, address, roles } = node;
  return [{ id, address, roles, version: "0.1.0", state: "UP", components: status.components, seen: Date.now() }];
}

/** Writes a bundle into a file with its proper name. */
export function bundleFile(directory: string, bytes: Buffer): string {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const file = join(directory, `tutti-agent-0.1.0-${process.arch}-${sha256.slice(0, 12)}.tar.gz`);
  writeFileSync(file, bytes);
  return file;
}

/** The small bundle with other files in it. */
export function bundleWith(files: Readonly<Record<string, string>>): Buffer {
  const tree = mkdtempSync(join(tmpdir(), "tutti-variant-"));
  try {
    execFileSync("tar", ["--extract", "--gzip", "--directory", tree], { input: smallBundle() });
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    }
    return execFileSync("tar", ["--create", "--gzip", "--directory", tree, "."]);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}
