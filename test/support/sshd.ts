import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { type HostKey, readHostKey } from "../../bootstrap/hostKey.ts";
import { type Offer, readPrivateKey } from "../../bootstrap/ssh.ts";
import { toolsBin } from "./tools.ts";

/** Real sshd on loopback, with keys and users of its own: nothing on this machine is changed. */
export interface Sshd {
  readonly port: number;
  readonly user: string;
  /** Kind → what it shows. */
  readonly hostKeys: readonly HostKey[];
  readonly work: string;
  readonly pid: number;
  log(): string;
  stop(): Promise<void>;
}

export interface SshdOptions {
  /** Directory; default: a new one. */
  readonly work?: string;
  readonly port?: number;
  /** Public keys that are let in, as lines. */
  readonly authorized?: readonly string[];
  /** Kinds of host keys: ed25519, ecdsa, rsa. */
  readonly kinds?: readonly string[];
  /** Environment of its sessions. */
  readonly env?: Readonly<Record<string, string>>;
  /** Further lines of sshd_config. */
  readonly config?: readonly string[];
}

const places = ["/usr/bin", join(toolsBin, "../openssh-server/usr/bin")];

/** ssh-keygen, ssh-agent or ssh-add: the machine's own, or the one that was unpacked. */
export function sshTool(name: string): string {
  const found = places.map((place) => join(place, name)).find((path) => existsSync(path));
  if (!found) throw new Error(`${name} is not set up: run "node bin/setup.mjs --test"`);
  return found;
}

export interface KeyPair {
  readonly file: string;
  readonly publicLine: string;
}

export function keyPair(work: string, name: string, { kind = "ed25519", passphrase = "" } = {}): KeyPair {
  const file = join(work, name);
  const bits = kind === "rsa" ? ["-b", "2048"] : [];
  execFileSync(sshTool("ssh-keygen"), ["-q", "-t", kind, ...bits, "-N", passphrase, "-C", name, "-f", file]);
  return { file, publicLine: readFileSync(`${file}.pub`, "utf8").trim() };
}

/** The key as it is offered. */
export function offerOf({ file }: KeyPair, passphrase?: string): Offer {
  const offer = readPrivateKey(file, readFileSync(file, "utf8"), passphrase);
  if (!offer || offer === "encrypted") throw new Error(`${file} cannot be read`);
  return offer;
}

export function hostKeyIn(publicLine: string): HostKey {
  const [type = "", base64 = ""] = publicLine.split(" ");
  const key = readHostKey(type, base64);
  if (!key) throw new Error(`no host key: ${publicLine}`);
  return key;
}

/** What cloud-init prints on a console. */
export function consoleBlock(keys: readonly HostKey[]): string {
  const lines = keys.map(({ type, blob }) => `${type} ${blob} root@ip-10-0-0-1`);
  return ["-----BEGIN SSH HOST KEY KEYS-----", ...lines, "-----END SSH HOST KEY KEYS-----", ""].join("\r\n");
}

/** Ports that somebody else may not take in between are not to be had; tests that lose one fail loudly. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const binary = join(toolsBin, "sshd");
  if (!existsSync(binary)) throw new Error('sshd is not set up: run "node bin/setup.mjs --test"');
  const own = options.work === undefined;
  const work = options.work ?? mkdtempSync(join(tmpdir(), "tutti-sshd-"));
  mkdirSync(work, { recursive: true });
  const { kinds = ["ed25519"], authorized = [], port = await freePort() } = options;
  const pairs = kinds.map((kind) => existing(work, kind) ?? keyPair(work, `host_${kind}`, { kind }));
  writeFileSync(join(work, "authorized_keys"), `${authorized.join("\n")}\n`);
  const config = join(work, "sshd_config");
  writeFileSync(config, configText({ ...options, port, work, keys: pairs.map(({ file }) => file) }));
  const child = launch(binary, config, work);
  let log = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (log += text));
  await listening(child, () => log);
  return {
    ...{ port, work, user: userInfo().username, pid: child.pid ?? 0 },
    hostKeys: pairs.map(({ publicLine }) => hostKeyIn(publicLine)),
    log: () => log,
    stop: async () => {
      await ended(child);
      if (own) rmSync(work, { recursive: true, force: true });
    },
  };
}

function existing(work: string, kind: string): KeyPair | undefined {
  const file = join(work, `host_${kind}`);
  return existsSync(file) ? { file, publicLine: readFileSync(`${file}.pub`, "utf8").trim() } : undefined;
}

interface ConfigFacts extends SshdOptions {
  readonly port: number;
  readonly work: string;
  readonly keys: readonly string[];
}

function configText({ port, work, keys, env = {}, config = [] }: ConfigFacts): string {
  const set = Object.entries({ PATH: process.env["PATH"] ?? "/usr/bin:/bin", ...env });
  return [
    // The first word on a setting counts: those of the test come before ours.
    ...config,
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    ...keys.map((file) => `HostKey ${file}`),
    `AuthorizedKeysFile ${work}/authorized_keys`,
    `PidFile ${work}/sshd.pid`,
    `SetEnv ${set.map(([name, value]) => `${name}=${value}`).join(" ")}`,
    "StrictModes no",
    "UsePAM no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "MaxStartups 500",
    "MaxSessions 50",
    "LogLevel VERBOSE",
    "",
  ].join("\n");
}

/**
 * As root, sshd wants a user `sshd` and an empty directory that is root's: in a mount namespace of its own it finds both.
 * As anybody else it wants neither.
 */
function launch(binary: string, config: string, work: string): ChildProcess {
  const serve = [binary, "-D", "-e", "-f", config];
  if (process.getuid?.() !== 0) return spawn(serve[0] ?? "", serve.slice(1), { stdio: ["ignore", "ignore", "pipe"] });
  // With a shell of its own as well: what a person has in ~/.bashrc is no part of a test.
  const lines = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .filter((line) => !/^$|^sshd:|^root:/.test(line));
  const ours = [`root:x:0:0:root:${work}:/bin/sh`, "sshd:x:64999:65534::/run/sshd:/usr/sbin/nologin", ""];
  writeFileSync(join(work, "passwd"), [...lines, ...ours].join("\n"));
  chmodSync(join(work, "passwd"), 0o644);
  const script = `mount --bind "$0/passwd" /etc/passwd && mount -t tmpfs -o mode=755 tmpfs /run && mkdir -m 755 /run/sshd && exec "$@"`;
  const args = ["--mount", "--propagation", "private", "sh", "-c", script, work, ...serve];
  return spawn("unshare", args, { stdio: ["ignore", "ignore", "pipe"] });
}

function listening(child: ChildProcess, log: () => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`sshd did not start:\n${log()}`));
    child.once("error", reject).once("exit", fail);
    child.stderr?.on("data", () => {
      if (!/Server listening on/.test(log())) return;
      child.off("exit", fail);
      resolve();
    });
  });
}

/** Sessions that are open live on when their listener ends: tests that want them gone end them too. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  for (const pid of childrenOf(child.pid ?? 0)) signal(pid);
  child.kill("SIGTERM");
  await gone;
}

function childrenOf(parent: number): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1]) === parent;
    } catch {
      return false;
    }
  });
}

function signal(pid: number): void {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    // It has ended by itself.
  }
}
