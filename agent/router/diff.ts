import { type Applied, aimKey, type LiveBackend, type MapName } from "./applied.ts";
import type { Regrouped } from "./pools.ts";
import { type HostEntry, slotName, type Target, type View } from "./view.ts";

/** One thing to tell a running HAProxy. */
export type Change =
  | { do: "back" | "leave" | "move"; server: string; address: string }
  | ({ do: "add"; server: string } & Target)
  | { do: "map"; map: MapName; key: string; value: string | undefined; had: boolean };

/**
 * What a running HAProxy must be told so that it agrees with the view again, in an order in which no moment is wrong:
 * servers leave first, new ones come before the names that lead to them, and names go before what they led to.
 * `applied` is brought up to date as if all of it had been done.
 */
export function diff(applied: Applied, view: View, { slots, hosts }: Regrouped): Change[] {
  const leave: Change[] = [];
  const enter: Change[] = [];
  const before: Change[] = [];
  const names: Change[] = [];
  const after: Change[] = [];
  for (const slot of slots) {
    if (slot > applied.capacity) continue;
    const live = applied.backends.get(slot) ?? { app: undefined, servers: new Map(), aims: new Map() };
    const wanted = view.backend(slot);
    leave.push(...leaving(slot, live, wanted?.servers ?? new Map()));
    enter.push(...entering(slot, live, wanted?.servers ?? new Map()));
    const app = wanted && wanted.servers.size > 0 ? wanted.app : undefined;
    const apps = entries("apps", one(slotName(slot), live.app), one(slotName(slot), app));
    const aims = entries("aims", keyed(slot, live.aims), keyed(slot, wanted?.aims ?? new Map()));
    before.push(...[...apps, ...aims].filter(comes));
    after.push(...[...apps, ...aims].filter((change) => !comes(change)));
    const now: LiveBackend = { app, servers: live.servers, aims: wanted?.aims ?? new Map() };
    if (now.servers.size > 0 || wanted) applied.backends.set(slot, now);
    else applied.backends.delete(slot);
  }
  for (const host of hosts) {
    const had = applied.hosts.get(host);
    const wanted = view.host(host, applied.capacity);
    const paths = entries("paths", had?.paths ?? new Map(), wanted?.paths ?? new Map());
    before.push(...paths.filter(comes));
    names.push(...entries("hosts", one(host, had?.to), one(host, wanted?.to)));
    after.push(...paths.filter((change) => !comes(change)));
    settle(applied.hosts, host, wanted);
  }
  return [...leave, ...enter, ...before, ...names, ...after];
}

function leaving(slot: number, live: LiveBackend, wanted: Map<string, Target>): Change[] {
  const gone = [...live.servers].filter(([name, server]) => !server.leaving && !wanted.has(name));
  return gone.map(([name, server]) => {
    server.leaving = true;
    return { do: "leave", server: `${slotName(slot)}/${name}`, address: server.address };
  });
}

function entering(slot: number, live: LiveBackend, wanted: Map<string, Target>): Change[] {
  return [...wanted].flatMap(([name, { address, san }]): Change[] => {
    const server = `${slotName(slot)}/${name}`;
    const had = live.servers.get(name);
    live.servers.set(name, { address, san, leaving: false });
    if (!had) return [{ do: "add", server, address, san }];
    if (had.address !== address) return [{ do: "move", server, address }];
    return had.leaving ? [{ do: "back", server, address }] : [];
  });
}

function entries(map: MapName, had: Map<string, string>, wanted: Map<string, string>): Change[] {
  const gone = [...had.keys()].filter((key) => !wanted.has(key));
  const other = [...wanted].filter(([key, value]) => had.get(key) !== value);
  return [
    ...other.map(([key, value]): Change => ({ do: "map", map, key, value, had: had.has(key) })),
    ...gone.map((key): Change => ({ do: "map", map, key, value: undefined, had: true })),
  ];
}

const comes = (change: Change) => change.do === "map" && change.value !== undefined;
const one = (key: string, value: string | undefined) => new Map(value === undefined ? [] : [[key, value]]);
const keyed = (slot: number, aims: Map<string, string>) =>
  new Map([...aims].map(([aim, server]) => [aimKey(slot, aim), server]));

function settle(hosts: Map<string, HostEntry>, host: string, entry: HostEntry | undefined) {
  if (entry) hosts.set(host, entry);
  else hosts.delete(host);
}
