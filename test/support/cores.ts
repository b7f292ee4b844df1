import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deaIdOf } from "../../agent/bus/deaId.ts";
import type { JoinAnswer, JoinRequest } from "../../agent/bus/messages/membership.ts";
import { type Dialed, dial } from "../../agent/bus/nats.ts";
import { newSeed, publicKeyOf } from "../../agent/bus/nkeys.ts";
import type { BusUser } from "../../agent/bus/permissions.ts";
import { at } from "../../agent/bus/subject.ts";
import { subjects } from "../../agent/bus/subjects.ts";
import { type CoreOptions, core } from "../../agent/core/core.ts";
import { coreCredentials } from "../../agent/core/keys.ts";
import { type Running, start } from "../../agent/run/runner.ts";
import { jetstreamStore } from "../../agent/store/jetstream.ts";
import type { Store } from "../../agent/store/store.ts";
import { type Authority, authorityOf } from "../../pki/authority.ts";
import { makeClaim } from "../../pki/claim.ts";
import { freePort } from "./nats.ts";
import { type RecordingLog, recordingLog } from "./recordingLog.ts";
import { tool } from "./tools.ts";
import { until } from "./until.ts";

export interface TestCore {
  readonly node: string;
  readonly address: string;
  readonly url: string;
  readonly home: string;
  readonly identity: string;
  readonly log: RecordingLog;
  running: Running;
  /** Pid of its nats-server. */
  pid(): Promise<number>;
  start(more?: Partial<CoreOptions>): void;
  stop(): Promise<void>;
}

/** The keys of a machine that is or becomes a node. */
export interface TestNode {
  readonly id: string;
  readonly index: number;
  readonly seed: string;
  readonly key: string;
  readonly tlsKey: string;
  readonly address: string;
  readonly instance: string;
  readonly dea: string;
}

export interface TestCluster {
  readonly cores: readonly TestCore[];
  readonly authority: Authority;
  readonly home: string;
  readonly port: number;
  readonly routes: number;
  claim(node: string, roles: readonly string[], now?: number): JoinRequest["claim"];
  /** Asks to be let in as whoever has no name yet. */
  join(node: TestNode, claim: JoinRequest["claim"], more?: Asking): Promise<JoinAnswer | undefined>;
  /** Lets a new node in and connects as it. */
  member(id: string, roles: readonly string[], more?: Partial<TestNode>): Promise<{ node: TestNode } & Dialed>;
  /** Connects as a node. */
  enter(node: TestNode, more?: Entering): Promise<Dialed>;
  /** Connects as a part of a core's own node. */
  local(party: Exclude<BusUser, "watch">, core?: TestCore): Promise<Dialed>;
  store(core?: TestCore): Promise<Store>;
  close(): Promise<void>;
}

interface Asking {
  core?: TestCore;
  request?: Partial<JoinRequest>;
  timeout?: number;
}
interface Entering {
  core?: TestCore;
  log?: RecordingLog;
  stop?: AbortSignal;
}

export function testNode(id: string, more: Partial<TestNode> = {}): TestNode {
  const seed = newSeed();
  const tlsKey = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString();
  const index = Number(/\d+$/.exec(id)?.[0] ?? 0);
  const node = { id, index, seed, key: publicKeyOf(seed), tlsKey, address: "127.0.0.9", instance: `i-${id}`, ...more };
  return { ...node, dea: deaIdOf(node) };
}

/** Real cores on the loopback, each with an address of its own. They are started in order unless told otherwise. */
export async function testCluster(count: number, options: Partial<CoreOptions> = {}): Promise<TestCluster> {
  const home = await mkdtemp(join(tmpdir(), "tutti-cores-"));
  const seed = randomBytes(32).toString("base64");
  const authority = authorityOf({ cluster: "trio", seed, created: new Date().toISOString() });
  const [port, routes] = [await freePort(), await freePort()];
  const addresses = Array.from({ length: count }, (_, i) => `127.0.0.${i + 1}`);
  const dialed: Dialed[] = [];
  const keep = async (one: Promise<Dialed>) => {
    dialed.push(await one);
    return await one;
  };
  const cores = await Promise.all(
    addresses.map(async (address, i): Promise<TestCore> => {
      const own = join(home, `lead-${i}`);
      const identity = join(own, "identity");
      await mkdir(identity, { recursive: true, mode: 0o700 });
      await writeFile(join(identity, "authority.json"), JSON.stringify(authority), { mode: 0o600 });
      const log = recordingLog();
      const cluster = {
        ...{ node: `lead-${i}`, name: "trio", cores: addresses, ca: authority.certificate, identity },
        ...{ instance: `i-lead-${i}`, routes, roles: ["core", "controller"] },
      };
      const self: TestCore = {
        ...{ node: cluster.node, address, url: `tls://${address}:${port}`, home: join(own, "core"), identity, log },
        running: undefined as unknown as Running,
        pid: async () => Number(await readFile(join(own, "core", "nats.pid"), "utf8")),
        start(more = {}) {
          const place = {
            log,
            index: i,
            address,
            beat: 100,
            home: join(own, "core"),
            port,
            program: tool("nats-server"),
          };
          self.running = start(core({ ...place, cluster, ...options, ...more }));
        },
        stop: () => self.running.stop(),
      };
      return self;
    }),
  );
  const [first] = cores;
  if (!first) throw new Error("a cluster has a core");
  const enter: TestCluster["enter"] = ({ id, seed }, { core = first, log = recordingLog(), stop } = {}) => {
    const as = { name: id, user: id, seed, by: id, log, stop };
    return keep(dial({ servers: core.url, ca: authority.certificate, ...as }));
  };
  const local: TestCluster["local"] = async (party, core = first) => {
    const { seeds } = await coreCredentials(core.home);
    const as = { name: `${party}-0`, user: party, seed: seeds[party], log: recordingLog() };
    return await keep(dial({ servers: core.url, ca: authority.certificate, ...as }));
  };
  const claim: TestCluster["claim"] = (node, roles, now = Date.now()) =>
    makeClaim({ join: authority.join, node, roles, now });
  const join_: TestCluster["join"] = async (node, claim, { core = first, request, timeout = 10_000 } = {}) => {
    const as = { name: "joiner", user: `joiner.${randomBytes(8).toString("hex")}`, log: recordingLog() };
    const one = await dial({ servers: core.url, ca: authority.certificate, ...as });
    const { id, index, key, tlsKey, address, instance } = node;
    const asked = { node: id, index, key, tlsKey, address, instance, claim, ...request };
    try {
      return await one.bus.request(subjects.join, asked, { timeout });
    } finally {
      await one.close();
    }
  };
  return {
    ...{ cores, authority, home, port, routes, claim, join: join_, enter, local },
    async member(id, roles, more = {}) {
      const node = testNode(id, more);
      const answer = await join_(node, claim(id, roles));
      if (!answer || "error" in answer) throw new Error(`not let in: ${JSON.stringify(answer)}`);
      return { node, ...(await enter(node)) };
    },
    store: async (core) => jetstreamStore((await local("controller", core)).connection),
    async close() {
      await Promise.all(dialed.map((one) => one.close()));
      await Promise.all(cores.map((one) => one.running?.stop()));
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** What the server refused of what was tried: `publish subject`, `subscription subject`. */
export async function refusalsOf(one: Dialed, attempt: (one: Dialed) => void): Promise<string[]> {
  const refused: string[] = [];
  const status = one.connection.status();
  const follow = async () => {
    for await (const it of status) {
      if (it.type !== "error") continue;
      const [, what, subject] = /Permissions Violation for (\w+) (?:to|using) ?"([^"]+)"/i.exec(it.error.message) ?? [];
      refused.push(what ? `${what.toLowerCase()} ${subject}` : it.error.message);
    }
  };
  void follow();
  attempt(one);
  await one.bus.flush();
  // Refusals reach us before the answer to the flush, but through a queue of their own.
  await new Promise((resolve) => setTimeout(resolve, 50));
  return refused;
}

/** The roles that a node is told it should have. */
export async function wishOf({ bus }: Dialed, node: string): Promise<readonly string[] | undefined> {
  return (await bus.request(at(subjects.nodeWish, { node }), {}, { timeout: 2000 }))?.roles;
}

export { until };
