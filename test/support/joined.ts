import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Bus, Subscription } from "../../agent/bus/bus.ts";
import type { JoinAnswer, JoinRequest, RenewRequest } from "../../agent/bus/messages/membership.ts";
import { dial } from "../../agent/bus/nats.ts";
import { newSeed, publicKeyOf } from "../../agent/bus/nkeys.ts";
import { subjects } from "../../agent/bus/subjects.ts";
import type { Tls } from "../../agent/bus/web.ts";
import type { Newcomer } from "../../agent/identity/newcomer.ts";
import { silent } from "../../agent/run/log.ts";
import { type Authority, authorityOf } from "../../pki/authority.ts";
import { makeClaim } from "../../pki/claim.ts";
import { issueLeaf } from "../../pki/leaf.ts";
import { freePort, type NatsServer, natsServer } from "./nats.ts";

export function newAuthority(cluster = "trio"): Authority {
  return authorityOf({ cluster, seed: randomBytes(32).toString("base64"), created: new Date().toISOString() });
}

export interface Leaf {
  node: string;
  address?: string;
  /** Milliseconds since 1970. */
  now?: number;
}

/** Key and certificate of a node of the authority's cluster. */
export function tlsOf(authority: Authority, { node, address = "127.0.0.1", now = Date.now() }: Leaf): Tls {
  const key = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const info = createPublicKey(createPrivateKey(key)).export({ type: "spki", format: "pem" }).toString();
  return { name: node, key, cert: issueLeaf({ authority, key: info, node, address, now }) };
}

/** A certificate that can be exchanged, as a renewal does. */
export function renewable(first: Tls): Tls & { renew(next: Tls): void; readonly listeners: number } {
  const listeners = new Set<() => void>();
  let now = first;
  return {
    get name() {
      return now.name ?? "";
    },
    get key() {
      return now.key;
    },
    get cert() {
      return now.cert;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    renew(next) {
      now = next;
      for (const listener of listeners) listener();
    },
    get listeners() {
      return listeners.size;
    },
  };
}

/** A core as newcomers meet it: a real server of the bus with TLS, and whoever answers them on it. */
export interface Door {
  readonly server: NatsServer;
  readonly port: number;
  /** Everything that was asked. */
  readonly asked: { joins: JoinRequest[]; renewals: RenewRequest[] };
  /** The core's own place on the bus. */
  readonly bus: Bus;
  /** Whom the server knows besides. Takes effect at once. */
  admit(members: Readonly<Record<string, string>>): Promise<void>;
  /** From now on nobody answers. */
  silence(): void;
  close(): Promise<void>;
}

export interface DoorOptions {
  authority: Authority;
  port?: number;
  /** Default: lets everybody in. */
  onJoin?: (request: JoinRequest) => JoinAnswer | Promise<JoinAnswer>;
  onRenew?: (request: RenewRequest, node: string) => JoinAnswer;
  /** The certificate is for this address. */
  address?: string;
}

export async function door(options: DoorOptions): Promise<Door> {
  const { authority, port = await freePort(), address = "127.0.0.1" } = options;
  const home = await mkdtemp(join(tmpdir(), "tutti-door-"));
  const file = (name: string) => join(home, name);
  const tls = tlsOf(authority, { node: "core-0", address });
  await writeFile(file("key"), tls.key, { mode: 0o600 });
  await writeFile(file("crt"), tls.cert);
  await writeFile(file("users"), "");
  const seed = newSeed();
  const users = (members: Readonly<Record<string, string>>, mark = "none") => {
    const nodes = Object.values(members).map((key) => `{ nkey: ${key} }`);
    const joiner = `{ user: joiner, password: x, permissions: { publish: ["tutti.v1.join"], subscribe: ["_INBOX_joiner.>"] } }`;
    return `authorization { users: [ { nkey: ${publicKeyOf(seed)} }, { user: mark, password: ${mark} }, ${joiner}, ${nodes.join(", ")} ] }\nno_auth_user: joiner\n`;
  };
  await writeFile(file("users"), users({}));
  const config = `tls { cert_file: "${file("crt")}", key_file: "${file("key")}" }\ninclude ../${basename(home)}/users\n`;
  const server = await natsServer({ port, config });
  const servers = `tls://127.0.0.1:${port}`;
  const dialed = await dial({ servers, ca: authority.certificate, name: "core-0", user: "core", seed, log: silent });
  const asked: Door["asked"] = { joins: [], renewals: [] };
  const heard = answering({ ...options, bus: dialed.bus, asked });
  await dialed.bus.flush();
  return {
    ...{ server, port, asked, bus: dialed.bus },
    async admit(members) {
      const password = `p${randomBytes(8).toString("hex")}`;
      await writeFile(file("users"), users(members, password));
      server.signal("SIGHUP");
      // The server knows the new ones when it knows this one.
      const marked = { servers, ca: authority.certificate, name: "mark", user: "mark", password, log: silent };
      await (await dial(marked)).close();
    },
    silence() {
      for (const one of heard) one.stop();
    },
    async close() {
      await dialed.close();
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

interface Answering extends DoorOptions {
  bus: Bus;
  asked: Door["asked"];
}

function answering({ authority, bus, asked, onJoin, onRenew }: Answering): Subscription[] {
  const letIn = ({ node, address, tlsKey }: JoinRequest): JoinAnswer => ({
    certificate: issueLeaf({ authority, key: tlsKey, node, address, now: Date.now() }),
  });
  const renew = ({ address, tlsKey }: RenewRequest, node: string): JoinAnswer => ({
    certificate: issueLeaf({ authority, key: tlsKey, node, address, now: Date.now() }),
  });
  return [
    bus.subscribe(subjects.join, async (request, message) => {
      asked.joins.push(request);
      message.reply(await (onJoin ?? letIn)(request));
    }),
    bus.subscribe(subjects.nodeRenew, (request, message) => {
      asked.renewals.push(request);
      message.reply((onRenew ?? renew)(request, message.subject.split(".")[3] ?? ""));
    }),
  ];
}

/** What a machine is born with that should join there. */
export function newcomer(authority: Authority, more: Partial<Newcomer> & { home: string; port: number }): Newcomer {
  const { port, ...rest } = more;
  const { certificate: ca, join: secret } = authority;
  const claim = makeClaim({ join: secret, node: "dea-0", roles: ["dea"], now: Date.now() });
  const ports = { nats: port };
  const joining = { cores: ["127.0.0.1"], ca, claim, instance: "i-1" };
  return { id: "dea-0", index: 0, address: "127.0.0.1", beat: 40, ports, join: joining, ...rest };
}
