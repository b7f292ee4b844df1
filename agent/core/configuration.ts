import { createHash, randomBytes } from "node:crypto";
import { mkdir, open, rename } from "node:fs/promises";
import type { Authority } from "../../pki/authority.ts";
import { corePermissions, memberPermissions } from "../bus/memberPermissions.ts";
import { publicKeyOf } from "../bus/nkeys.ts";
import { permissions } from "../bus/permissions.ts";
import { subjects } from "../bus/subjects.ts";
import { type Cluster, passwordFor } from "./cluster.ts";
import { bracketed, type JoinedConfig, type RoutesConfig } from "./clusterConfig.ts";
import { type CoreCredentials, parties } from "./keys.ts";
import type { Admitted } from "./members.ts";
import type { OwnCertificate } from "./ownCertificate.ts";
import { type ServerConfig, type ServerUser, serverConfig, userBlock } from "./serverConfig.ts";

/** Where the server's files are. */
export interface ServerFiles {
  readonly config: string;
  readonly pid: string;
  readonly store: string;
}

export interface Configured {
  index: number;
  address: string;
  port: number;
  files: ServerFiles;
  credentials: CoreCredentials;
  deaId?: string;
  monitor?: number;
  trace?: string;
  /** Present in a cluster of several machines. */
  joined?: { cluster: Cluster; authority: Authority; certificate: OwnCertificate; caFile: string };
}

/** The text of the server's configuration, with those nodes as users. */
export function configuration(options: Configured, nodes: readonly Admitted[] = []): string {
  const { index, address, port, files, monitor, trace, joined } = options;
  const config: ServerConfig = {
    name: joined?.cluster.node ?? `core-${index}`,
    ...{ address, port, store: files.store, pidFile: files.pid },
    users: [...ownUsers(options), ...nodes.map(nodeUser)],
    ...(monitor ? { monitor } : {}),
    ...(trace ? { trace } : {}),
    ...(joined ? { joined: joinedConfig(address, joined) } : {}),
  };
  return serverConfig(config);
}

/** The users of this very machine: the parties of its own components. */
function ownUsers({ credentials, deaId, joined }: Configured): ServerUser[] {
  const ours = parties.map((party) => ({
    who: { nkey: publicKeyOf(credentials.seeds[party]) },
    permissions: joined && party === "core" ? corePermissions(subjects) : permissions(subjects, party, { deaId }),
  }));
  return [...ours, { who: credentials.watch, permissions: permissions(subjects, "watch") }];
}

const nodeUser = (node: Admitted): ServerUser => ({
  who: { nkey: node.key },
  permissions: memberPermissions(subjects, node),
});

function joinedConfig(
  address: string,
  { cluster, authority, certificate, caFile }: NonNullable<Configured["joined"]>,
): JoinedConfig {
  const joiner: ServerUser = {
    who: { user: "joiner", password: passwordFor("joiner", authority.join) },
    permissions: { ...permissions(subjects, "joiner"), responses: { max: 0, seconds: 0 } },
  };
  const routes = routesOf(address, cluster, authority);
  return {
    name: cluster.name,
    files: { ...certificate.files, ca: caFile },
    fingerprint: createHash("sha256").update(certificate.text).digest("hex"),
    joiner: { user: userBlock(joiner), subject: subjects.join.name },
    ...(routes ? { routes } : {}),
  };
}

function routesOf(address: string, { cores, routes: port }: Cluster, { join }: Authority): RoutesConfig | undefined {
  const others = cores.filter((core) => core !== address);
  if (others.length === 0) return undefined;
  const peers = others.map((core) => `${bracketed(core)}:${port}`);
  return { address, port, peers, user: "core", password: passwordFor("routes", join) };
}

/** Puts the text in place in one moment, readable by nobody else: it holds passwords. */
export async function writeConfiguration({ config, store }: ServerFiles, text: string): Promise<void> {
  await mkdir(store, { recursive: true, mode: 0o700 });
  const draft = `${config}.${randomBytes(4).toString("hex")}`;
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, config);
}
