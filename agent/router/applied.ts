import { type Backend, type HostEntry, slotName, type Target, type View } from "./view.ts";

/** The maps HAProxy looks things up in, each a file beside its configuration. */
export const mapNames = ["hosts", "paths", "apps", "aims"] as const;
export type MapName = (typeof mapNames)[number];
export const mapFile = (name: MapName) => `${name}.map`;

/** A server that leaves takes no new request and is removed when it is idle. */
export type LiveServer = Target & { leaving: boolean };

/** A backend as it is in a running HAProxy. */
export interface LiveBackend {
  app: string | undefined;
  servers: Map<string, LiveServer>;
  aims: Map<string, string>;
}

/** What one running HAProxy has been told so far. */
export interface Applied {
  /** Backends it has, from 1 on. */
  readonly capacity: number;
  /** Those that give their servers time to shake hands: how long a backend waits cannot be changed at run time. */
  readonly patient: ReadonlySet<number>;
  backends: Map<number, LiveBackend>;
  hosts: Map<string, HostEntry>;
}

/** What a HAProxy holds that starts from files written of the view now. */
export function appliedFrom(view: View, capacity: number): Applied {
  const patient = new Set<number>();
  const applied: Applied = { capacity, patient, backends: new Map(), hosts: new Map() };
  for (const slot of view.slots()) {
    const backend = slot <= capacity ? view.backend(slot) : undefined;
    if (backend) applied.backends.set(slot, live(backend));
    if (shakesHands(backend)) patient.add(slot);
  }
  for (const host of view.hosts()) {
    const entry = view.host(host, capacity);
    if (entry) applied.hosts.set(host, entry);
  }
  return applied;
}

/** Whether one of its servers speaks TLS. */
export function shakesHands(backend: Pick<Backend | LiveBackend, "servers"> | undefined): boolean {
  return [...(backend?.servers.values() ?? [])].some(({ san }) => san !== undefined);
}

function live(backend: Backend): LiveBackend {
  const servers = [...backend.servers].map(([name, target]) => [name, { ...target, leaving: false }] as const);
  return { app: servers.length > 0 ? backend.app : undefined, servers: new Map(servers), aims: backend.aims };
}

/** The lines of one map, key and value. */
export function* mapEntries(applied: Applied, map: MapName): Iterable<[string, string]> {
  if (map === "hosts") for (const [host, { to }] of applied.hosts) yield [host, to];
  if (map === "paths") for (const { paths } of applied.hosts.values()) yield* paths;
  for (const [slot, { app, aims }] of map === "apps" || map === "aims" ? applied.backends : []) {
    if (map === "apps" && app !== undefined) yield [slotName(slot), app];
    if (map === "aims") for (const [aim, server] of aims) yield [aimKey(slot, aim), server];
  }
}

export const aimKey = (slot: number, aim: string) => `${slotName(slot)}/${aim}`;
