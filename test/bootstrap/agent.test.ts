import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { knownLines, nameOf } from "../../bootstrap/knownHosts.ts";
import type { RoleName } from "../../roles/role.ts";
import { freePort, type KeyPair, keyPair, type Sshd, startSshd } from "../support/sshd.ts";
import { toolsBin } from "../support/tools.ts";
import { type Person, person } from "../support/tutti.ts";
import { until } from "../support/until.ts";

// The whole of it with nothing stood in: sshd, the agent with its bus, store and controller, and the command.

const project = fileURLToPath(new URL("../..", import.meta.url));
const roles: readonly RoleName[] = ["core", "controller", "health", "router", "stager", "dea"];

let work: string;
let key: KeyPair;
let sshd: Sshd;
let me: Person;

async function open(): Promise<void> {
  work = mkdtempSync(join(tmpdir(), "tutti-agent-"));
  key = keyPair(work, "id_me");
  me = await person();
  for (const path of ["root/etc/tutti", "root/var/lib/tutti", "bin"]) mkdirSync(join(work, path), { recursive: true });
  writeFileSync(join(work, "bin/systemctl"), systemctl(), { mode: 0o755 });
  const env = { PATH: `${join(work, "bin")}:${process.env["PATH"]}`, TUTTI_ROOT: join(work, "root") };
  sshd = await startSshd({ work: join(work, "ssh"), authorized: [key.publicLine], env });
  writeFileSync(join(work, "hosts"), knownLines(nameOf("127.0.0.1", sshd.port), sshd.hostKeys));
}

async function close(): Promise<void> {
  await stopAgent();
  await sshd.stop();
  await me.gone();
  rmSync(work, { recursive: true, force: true });
}

/** Starts the agent anew, as the unit would. */
function systemctl(): string {
  const log = join(work, "agent.log");
  return `#!/bin/sh
[ ! -f "${work}/pid" ] || { kill "$(cat "${work}/pid")" && while kill -0 "$(cat "${work}/pid")" 2>/dev/null; do sleep 0.1; done; }
setsid "${process.execPath}" "${project}agent/main.ts" "${work}/root/etc/tutti/node.json" >>"${log}" 2>&1 </dev/null &
echo $! >"${work}/pid"
`;
}

async function stopAgent(): Promise<void> {
  const pid = Number(readFileSync(join(work, "pid"), "utf8"));
  process.kill(pid, "SIGTERM");
  const alive = () => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  await until(() => !alive(), { what: "the agent has ended" });
}

const startAgent = () => new Promise((resolve) => spawn(join(work, "bin/systemctl")).once("close", resolve));

/** A node.json of a cluster that does not exist yet: whom it trusts, and its claim, it is told by first contact. */
const unborn = {
  ...{ cores: ["127.0.0.1"], ca: "", instance: "m-1" },
  claim: { id: "all-0.1", roles, expires: "2026-01-01T00:00:00Z", secret: "" },
};

async function writeNode(joining: object | undefined): Promise<void> {
  const first = 20_000 + Math.floor(Math.random() * 120) * 100;
  const [router, controller, nats, files] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const node = {
    ...{ id: "all-0", cluster: "one", domain: "tutti.localhost", roles, address: "127.0.0.1", memory: 512, disk: 512 },
    ...{ home: join(work, "root/var/lib/tutti/node"), tools: toolsBin },
    ports: { router, controller, nats, files, instances: { first, last: first + 99 } },
    join: joining,
  };
  writeFileSync(join(work, "root/etc/tutti/node.json"), `${JSON.stringify(node, undefined, 2)}\n`);
}

const line = (...more: string[]) => [
  ...["bootstrap", "--host", `${sshd.user}@127.0.0.1:${sshd.port}`, "--identity", key.file],
  ...["--known-hosts", join(work, "hosts"), ...more],
];

describe.each([
  ["that is a cluster by itself", undefined],
  ["that is the first of a cluster", unborn],
])("a node with a real agent %s", { timeout: 120_000 }, (_what, joining) => {
  beforeAll(open);
  afterAll(close);

  it("is waited for from before its agent starts, claimed, and obeys from then on", async () => {
    await writeNode(joining);
    const contact = me.tutti(line("--email", "ann@tutti.localhost"), {
      env: { STACKATO_PASSWORD: "correct horse battery" },
    });
    await startAgent();
    const { code, out, err } = await contact;
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(out).toContain("one is yours");
    expect(existsSync(join(work, "root/var/lib/tutti/node/identity/authority.json"))).toBe(joining !== undefined);
    const apps = await me.tutti(["apps", "--json"]);
    expect(apps.json()).toMatchObject({ ok: true, apps: [] });
    expect((await me.tutti(["ready"])).out).toContain("READY");
  });

  it("is already ours the second time, within three round trips", async () => {
    const again = await me.tutti(line("--json"));
    expect(again.json()).toMatchObject({ ok: true, outcome: "already_ours", nodes: [{ trips: 2, roles }] });
    expect((await me.tutti(line("--plan"))).code).toBe(0);
  });

  it("does not let a stranger in who has a key to the machine but not the password", async () => {
    const stranger = await person();
    const { code } = await stranger.tutti(line("--email", "eve@tutti.localhost"));
    await stranger.gone();
    expect(code).toBe(3);
  });

  it("has no secret in what the agent and sshd have written", () => {
    const log = readFileSync(join(work, "agent.log"), "utf8") + sshd.log();
    expect(log.length).toBeGreaterThan(100);
    expect(log).not.toContain("correct horse battery");
  });
});
