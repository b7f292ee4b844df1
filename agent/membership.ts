import { join } from "node:path";
import type { NodeSpec } from "../roles/node.ts";
import { deaIdOf } from "./bus/deaId.ts";
import { type Dialed, dial } from "./bus/nats.ts";
import { publicKeyOf } from "./bus/nkeys.ts";
import type { BusUser } from "./bus/permissions.ts";
import type { Tls } from "./bus/web.ts";
import { coreCredentials } from "./core/keys.ts";
import { identityFiles } from "./identity/files.ts";
import { type Held, heldCertificate } from "./identity/held.ts";
import { nodeKeys } from "./identity/keys.ts";
import { coreIdentity, membership } from "./identity/membership.ts";
import type { IdentityLink } from "./node.ts";
import type { Log } from "./run/log.ts";
import type { Runner } from "./run/runner.ts";

export type Party = Exclude<BusUser, "watch" | "joiner" | "tool">;

/** How a node stands to its cluster, and how its components come to the bus. */
export interface Membership {
  /** Ready when the node may speak. Absent: it is a cluster by itself. */
  readonly identity?: (link: IdentityLink) => Runner;
  /** What its servers show. Absent: they speak HTTP, on this machine only. */
  readonly tls?: Tls;
  /** Resolves when there is something to show. To false when stopped. */
  ready(stop: AbortSignal): Promise<boolean>;
  dial(party: Party, stop: AbortSignal): Promise<Dialed>;
  /** The id of its DEA, when it follows from who the node is. */
  deaId(): Promise<string | undefined>;
}

export function membershipOf(spec: NodeSpec, log: Log): Membership {
  if (!spec.join) return alone(spec, log);
  const held = heldCertificate(identityFiles(spec.home), spec.id);
  return spec.roles.includes("core") ? asCore(spec, log, held) : asMember(spec, log, held);
}

const partyKeys = async ({ home }: NodeSpec) => (await coreCredentials(join(home, "core"))).seeds;

function alone(spec: NodeSpec, log: Log): Membership {
  const { index, address, ports } = spec;
  const servers = `nats://${address}:${ports.nats}`;
  return {
    ready: async (stop) => !stop.aborted,
    async dial(party, stop) {
      const seed = (await partyKeys(spec))[party];
      return await dial({ servers, name: `${party}-${index}`, user: party, seed, log, stop });
    },
    deaId: async () => undefined,
  };
}

type Joined = NodeSpec & { join: NonNullable<NodeSpec["join"]> };

/** A core speaks to its own server only, with the keys that only this server knows. */
function asCore(spec: NodeSpec, log: Log, held: Held): Membership {
  const { index, address, ports } = spec;
  const { ca } = (spec as Joined).join;
  const servers = serverAt(address, ports.nats);
  return {
    identity: ({ onState }) => coreIdentity({ spec: spec as Joined, log, held, onState }),
    tls: held.tls,
    ready: held.there,
    async dial(party, stop) {
      const seed = (await partyKeys(spec))[party];
      return await dial({ servers, ca, name: `${party}-${index}`, user: party, seed, log, stop });
    },
    deaId: async () => deaIdOf({ index, key: publicKeyOf((await partyKeys(spec)).dea) }),
  };
}

/** Any other node has one key for all that it does, and any core will do. */
function asMember(spec: NodeSpec, log: Log, held: Held): Membership {
  const { id, index, ports } = spec;
  const { ca, cores } = (spec as Joined).join;
  const servers = cores.map((core) => serverAt(core, ports.nats));
  const keys = () => nodeKeys(identityFiles(spec.home));
  return {
    identity: (link) => membership({ spec: spec as Joined, log, held, ...link }),
    tls: held.tls,
    ready: held.there,
    async dial(party, stop) {
      const { seed } = await keys();
      return await dial({ servers, ca, name: `${party}-${index}`, user: id, by: id, seed, log, stop });
    },
    deaId: async () => deaIdOf({ index, key: (await keys()).key }),
  };
}

const serverAt = (address: string, port: number) => `tls://${address.includes(":") ? `[${address}]` : address}:${port}`;
