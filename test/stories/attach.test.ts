import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { knownLines, nameOf } from "../../bootstrap/knownHosts.ts";
import { type AgentCluster, agentCluster } from "../support/agents.ts";
import { hello } from "../support/apps.ts";
import { bundleFile, bundleWith } from "../support/attachable.ts";
import { type Machine, machine } from "../support/cloudinit.ts";
import { processesOf } from "../support/processes.ts";
import { ask } from "../support/router.ts";
import { keyPair, type Sshd, startSshd } from "../support/sshd.ts";
import { until } from "../support/until.ts";

// A machine that is not on EC2 comes into a cluster over ssh, gets another agent, and goes again. Real core, real agents,
// real sshd; only the machine's root is a directory, and its bundle brings the agent of this very tree.

let cluster: AgentCluster;
let shelf: Machine;
let sshd: Sshd;
let ssh: string[];
let address: string;
const root = process.env["TUTTI_ROOT"];

beforeAll(async () => {
  shelf = await machine(Buffer.from("nobody fetches this"));
  mkdirSync(shelf.path("etc"), { recursive: true });
  writeFileSync(shelf.path("etc/machine-id"), "0123456789abcdef0123456789abcdef\n");
  // The person's command is told where the machines of this test have their root.
  process.env["TUTTI_ROOT"] = shelf.root;
  cluster = await agentCluster();
  const key = keyPair(cluster.home, "id_me");
  const env = { PATH: `${shelf.path("bin")}:${process.env["PATH"]}`, TUTTI_ROOT: shelf.root };
  sshd = await startSshd({ authorized: [key.publicLine], work: join(cluster.home, "ssh"), env });
  const known = join(cluster.home, "known_hosts");
  writeFileSync(known, knownLines(nameOf("127.0.0.1", sshd.port), sshd.hostKeys));
  ssh = ["--identity", key.file, "--known-hosts", known];
  address = cluster.core.address.replace(/\d+$/, "200");
  cluster.identity();
  cluster.core.start();
  await cluster.core.ready();
  await cluster.login();
});
afterAll(async () => {
  if (root === undefined) delete process.env["TUTTI_ROOT"];
  await sshd?.stop();
  for (const pid of processesOf(shelf.root)) process.kill(pid, "SIGKILL");
  await shelf?.gone();
  await cluster?.remove();
});

const agent = fileURLToPath(new URL("../../agent/main.ts", import.meta.url));
const bundle = (news: string) =>
  bundleFile(cluster.home, bundleWith({ "agent/main.mjs": `await import("${agent}");\n`, "agent/news": news }));
const whoami = async () => {
  const { status, body } = await ask(cluster.router, `hello.${cluster.domain}`, { path: "/whoami" });
  if (status !== 200) throw new Error(`${status}: ${body}`);
  return JSON.parse(body) as { pid: number; instance: string };
};
interface Listed {
  nodes: { id: string; state: string; instances?: number }[];
}
const listed = async () => (await cluster.json<Listed>("node", "list")).nodes.find(({ id }) => id === "shelf-1");

describe("a machine of one's own", { timeout: 120_000 }, () => {
  it("is let in, converges, and runs an app", async () => {
    const where = `${sshd.user}@127.0.0.1:${sshd.port}`;
    const how = ["--role", "dea", "--name", "shelf-1", "--address", address, "--bundle", bundle("first")];
    expect(await cluster.json("node", "attach", where, ...how, ...ssh)).toMatchObject({ ok: true, changed: true });
    await cluster.json("push", "hello", "--path", hello);
    expect(await whoami()).toMatchObject({ pid: expect.any(Number) });
    await until(async () => (await listed())?.instances === 1, { what: "the list tells of its instance" });
  });

  it("tells over ssh how it became a node", async () => {
    const said = await cluster.json<{ components: { name: string }[] }>("node", "explain", "shelf-1", ...ssh);
    expect(said).toMatchObject({ from: "ssh", state: "ready", steps: { length: 8 } });
    expect(said.components.map(({ name }) => name)).toEqual(["identity", "dea"]);
  });

  it("gets another agent, and its instance answers all the while: the same one", async () => {
    const before = await whoami();
    const asked = { all: 0, stop: false };
    const asking = (async () => {
      for (; !asked.stop; asked.all++) expect(await whoami()).toEqual(before);
    })();
    const done = await cluster.json("node", "upgrade", "shelf-1", "--to", bundle("second"), "--yes", ...ssh);
    asked.stop = true;
    await asking;
    expect(done).toMatchObject({ ok: true, upgraded: ["shelf-1"] });
    expect(asked.all).toBeGreaterThan(10);
  });

  it("is not taken away from under its app, and goes when that is meant", async () => {
    await expect(cluster.json("node", "remove", "shelf-1", "--yes", ...ssh)).rejects.toThrow("still holds an instance");
    await cluster.json("delete", "hello", "--force");
    await until(async () => (await listed())?.instances === 0, { what: "its instance has ended" });
    const gone = await cluster.json("node", "remove", "shelf-1", "--yes", ...ssh);
    expect(gone).toMatchObject({ ok: true, cleaned: true });
    expect((await listed())?.state).toBe("REMOVED");
  });
});
