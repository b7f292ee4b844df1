import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { type BootResult, type BootStep, readJournal, readResult } from "../../cloudinit/journal.ts";
import { userDataText } from "../../cloudinit/render.ts";
import type { Birth } from "../../roles/birth.ts";
import { type RoleName, roles } from "../../roles/role.ts";
import { type MetadataService, metadataService, type Store, store } from "./metadata.ts";

export const availableRoles = (Object.keys(roles) as RoleName[]).filter((role) => roles[role].available);

/** Every set of roles that a node can have. */
export const combinations: RoleName[][] = Array.from({ length: 2 ** availableRoles.length - 1 }, (_, i) =>
  availableRoles.filter((_role, bit) => (i + 1) & (1 << bit)),
);

// As long as a P-384 certificate, and as hard to compress.
const noise = Array.from({ length: 12 }, (_, i) => createHash("sha384").update(String(i)).digest("base64")).join("\n");
export const ca = `-----BEGIN CERTIFICATE-----\n${noise}\n-----END CERTIFICATE-----\n`;
export const claimSecret = "Xq3vJ0mZ8yTn5bRk1wLh6cDf9sPg2aEuVoIi7rKtBxM";

export function birthOf(changes: Partial<Birth> = {}): Birth {
  return {
    node: {
      id: "all-0",
      cluster: "trio",
      domain: "apps.example.com",
      roles: [...availableRoles],
      index: 0,
      zone: "eu-central-1a",
      beat: 1000,
      ports: {
        ...{ router: 80, controller: 9022, nats: 4222, routes: 6222, files: 12345 },
        instances: { first: 61001, last: 65000 },
        status: { first: 9100, last: 9109 },
      },
      crashLifetime: 3600,
    },
    cores: ["10.20.0.4", "10.20.1.4", "10.20.2.4"],
    bundle: {
      version: "0.1.0",
      sha256: createHash("sha256").update("agent").digest("hex"),
      sources: [
        "s3://trio-depot-1a2b3c4/agent/tutti-agent-0.1.0-x64-abc.tar.gz",
        "https://mirror.example/agent.tar.gz",
      ],
    },
    region: "eu-central-1",
    ca,
    claim: { id: "all-0.m1abc", roles: [], secret: claimSecret, expires: "2031-01-01T00:00:00.000Z" },
    baked: false,
    ...changes,
  };
}

export function birthWith(wanted: readonly RoleName[], changes: Partial<Birth> = {}): Birth {
  const birth = birthOf(changes);
  return { ...birth, node: { ...birth.node, roles: [...wanted] } };
}

interface WrittenFile {
  path: string;
  permissions: string;
  owner: string;
  content: string;
}

/** User data as cloud-init reads it. */
export interface CloudConfig {
  write_files: WrittenFile[];
  runcmd: unknown[];
}

export const cloudConfig = (text: string): CloudConfig => parse(text) as CloudConfig;

export interface Ran {
  readonly code: number;
  readonly out: string;
}

/** A directory that stands for a machine's root, with the services that a machine finds around it. */
export interface Machine {
  readonly root: string;
  readonly metadata: MetadataService;
  readonly bucket: Store;
  readonly mirror: Store;
  /** Writes the files of a birth as cloud-init would; the bundle's sources are the machine's own bucket and mirror. */
  born(birth: Birth): void;
  boot(env?: Record<string, string>): Promise<Ran>;
  journal(): BootStep[];
  result(): BootResult | undefined;
  node(): Record<string, unknown>;
  /** What the boot asked of the system's programs. */
  calls(): string[];
  /** Makes `program first-argument` fail, or stop failing. */
  breaks(call: string, message?: string): void;
  path(name: string): string;
  gone(): Promise<void>;
}

export async function machine(bundle: Buffer): Promise<Machine> {
  const root = mkdtempSync(join(tmpdir(), "tutti-machine-"));
  // Apps run as users of their own, who must be able to pass.
  chmodSync(root, 0o711);
  const metadata = await metadataService();
  const bucket = await store("/depot/agent.tar.gz", bundle, metadata.state);
  const mirror = await store("/agent.tar.gz", bundle);
  const path = (name: string) => join(root, name);
  const text = (name: string) => (existsSync(path(name)) ? readFileSync(path(name), "utf8") : "");
  for (const [name, content] of Object.entries(systemPrograms)) write(path(`bin/${name}`), content, 0o755);
  const sha256 = createHash("sha256").update(bundle).digest("hex");
  const sources = ["s3://depot/agent.tar.gz", `${mirror.url}/agent.tar.gz`];
  const places = { TUTTI_ROOT: root, TUTTI_IMDS: metadata.url, TUTTI_S3: bucket.url };
  const env = { PATH: `${root}/bin:${process.env["PATH"]}`, TUTTI_PAUSE: "10", TUTTI_READY: "20", ...places };
  return {
    ...{ root, metadata, bucket, mirror, path },
    born(birth) {
      const told = { ...birth, bundle: { ...birth.bundle, sha256, sources } };
      for (const file of cloudConfig(userDataText(told)).write_files)
        write(path(file.path), file.content, Number.parseInt(file.permissions, 8));
    },
    boot: (more = {}) => run(path("usr/local/lib/tutti/boot"), { ...env, ...more }),
    journal: () => readJournal(text("var/lib/tutti/boot/journal.jsonl")),
    result: () => readResult(text("var/lib/tutti/boot/result.json")),
    node: () => JSON.parse(text("etc/tutti/node.json")) as Record<string, unknown>,
    calls: () => text("calls").trim().split("\n"),
    breaks(call, message) {
      const file = path(`breaks/${call.replace(" ", "-")}`);
      rmSync(file, { force: true });
      if (message) write(file, message, 0o644);
    },
    async gone() {
      const pid = Number(text("agent.pid"));
      if (pid) await ended(pid);
      await Promise.all([metadata.close(), bucket.close(), mirror.close()]);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

async function ended(pid: number): Promise<void> {
  try {
    process.kill(pid, "SIGTERM");
  } catch {
    return;
  }
  const lives = () => /^\d+ \(.*\) [^ZX]/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  for (let turn = 0; turn < 400 && existsSync(`/proc/${pid}`) && lives(); turn++)
    await new Promise((resolve) => setTimeout(resolve, 25));
}

function write(file: string, content: string, mode: number): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, mode);
}

function run(command: string, env: Record<string, string>): Promise<Ran> {
  const child: ChildProcess = spawn(command, [], { env, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (out += chunk));
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (out += chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, out }));
  });
}

const program = (body: string) => `#!/bin/bash
echo "$(basename "$0") $*" >>"$TUTTI_ROOT/calls"
broken="$TUTTI_ROOT/breaks/$(basename "$0")-$1"
if [ -e "$broken" ]; then cat "$broken" >&2; exit 100; fi
${body}
`;

/** What belongs to the system and cannot be had in a directory: its packages, its units, its firewall. */
const systemPrograms: Readonly<Record<string, string>> = {
  "apt-get": program(`broken="$TUTTI_ROOT/breaks/apt-get"
if [ -e "$broken" ]; then cat "$broken" >&2; exit 100; fi
case " $* " in *" install "*) printf '%s\\n' "$@" >>"$TUTTI_ROOT/installed" ;; esac`),
  dpkg: program(""),
  "dpkg-query": `#!/bin/bash
if grep -qxs -- "$3" "$TUTTI_ROOT/installed"; then echo -n "install ok installed"; else exit 1; fi
`,
  haproxy: program(""),
  nft: program(""),
  "systemd-notify": program(""),
  systemctl: program(`pidfile="$TUTTI_ROOT/agent.pid"
alive() { [ -s "$pidfile" ] && [[ "$(cat "/proc/$(cat "$pidfile")/stat" 2>/dev/null)" =~ \\)\\ [^ZX] ]]; }
case "$1" in
  is-active) alive ;;
  restart)
    if alive; then kill "$(cat "$pidfile")"; fi
    while alive; do sleep 0.02; done
    read -ra words <<<"$(sed -n 's/^ExecStart=//p' "$TUTTI_ROOT/etc/systemd/system/tutti.service")"
    setsid "\${words[@]/#\\//$TUTTI_ROOT/}" </dev/null >>"$TUTTI_ROOT/agent.log" 2>&1 &
    echo $! >"$pidfile" ;;
esac`),
};

const smallAgent = `import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
const { home, roles } = JSON.parse(readFileSync(process.argv[2], "utf8"));
mkdirSync(home, { recursive: true });
const say = () => {
  const broken = existsSync(dirname(home) + "/agent-is-broken");
  const state = broken ? { state: "failing", reason: "port 4222 is in use" } : { state: "ready" };
  const says = dirname(home) + "/agent-says.json";
  const components = existsSync(says)
    ? JSON.parse(readFileSync(says, "utf8"))
    : roles.map((name) => ({ name, ...state }));
  writeFileSync(home + "/status.new", JSON.stringify({ pid: process.pid, components }));
  renameSync(home + "/status.new", home + "/status.json");
};
say();
setInterval(say, 100);
`;

/** A bundle whose agent does no more than to say that it is ready. */
export function smallBundle(architecture: string = process.arch): Buffer {
  const tree = mkdtempSync(join(tmpdir(), "tutti-small-"));
  try {
    write(join(tree, "bin/node"), `#!/bin/sh\nexec "${process.execPath}" "$@"\n`, 0o755);
    write(join(tree, "bin/nats-server"), "#!/bin/sh\n", 0o755);
    write(join(tree, "agent/main.mjs"), smallAgent, 0o644);
    write(join(tree, "bundle.json"), `${JSON.stringify({ version: "0.1.0", architecture }, undefined, 2)}\n`, 0o644);
    return execFileSync("tar", ["--create", "--gzip", "--directory", tree, "."]);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}
