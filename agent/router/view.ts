import type { Endpoint } from "./endpoint.ts";
import type { Pools } from "./pools.ts";
import type { Route, RouteTable } from "./table.ts";

/** How an instance is reached. */
export interface Target {
  /** `ip:port` */
  address: string;
  /** With TLS, and a certificate for this name. */
  san?: string | undefined;
}

/** What one HAProxy backend should hold. */
export interface Backend {
  /** The app's guid; `-` when it has none. */
  app: string;
  /** By name, which is the instance id, so that the sticky cookie names the server. */
  servers: Map<string, Target>;
  /** `<app>:<index>` → server name, for requests aimed at one instance. */
  aims: Map<string, string>;
}

/** What HAProxy's maps should say of one host. */
export interface HostEntry {
  /** Name of the backend, or `+` when the host's paths go to different backends. */
  to: string;
  /** `host/a/b/` → name of the backend. */
  paths: Map<string, string>;
}

/** What HAProxy should be: asked per backend and per host, never as a whole, so that one change costs one look. */
export interface View {
  backend(slot: number): Backend | undefined;
  /** Only what needs no backend above `capacity`. */
  host(host: string, capacity: number): HostEntry | undefined;
  slots(): Iterable<number>;
  hosts(): Iterable<string>;
  /** The highest number a backend has, or had lately. */
  readonly highest: number;
}

export const slotName = (slot: number) => `s${slot}`;

export function viewOf(table: RouteTable, pools: Pools): View {
  const usable = (route: Route, capacity: number) => {
    const slot = pools.of(route)?.slot;
    return slot !== undefined && slot <= capacity ? slotName(slot) : undefined;
  };
  return {
    backend(slot) {
      const pool = pools.at(slot);
      if (!pool) return undefined;
      return backendOf(pool.members.map(({ endpoint }) => endpoint));
    },
    host(host, capacity) {
      const routes = [...table.ofHost(host)];
      const only = routes.length === 1 && routes[0]?.path === "" ? routes[0] : undefined;
      const to = only && usable(only, capacity);
      if (only) return to === undefined ? undefined : { to, paths: new Map() };
      const pairs = routes.map((route) => [`${route.name}/`, usable(route, capacity)] as const);
      const paths = new Map(pairs.flatMap(([key, slot]) => (slot === undefined ? [] : [[key, slot] as const])));
      return paths.size > 0 ? { to: "+", paths } : undefined;
    },
    slots: () => pools.slots(),
    hosts: () => table.hosts(),
    get highest() {
      return pools.highest;
    },
  };
}

function backendOf(endpoints: Endpoint[]): Backend {
  const backend: Backend = { app: endpoints[0]?.app ?? "-", servers: new Map(), aims: new Map() };
  for (const { key, instance, ip, port, san, app, index } of endpoints) {
    // A server cannot learn to speak another way: one that does so is another one.
    const plain = instance ?? (san ? `${key}:${san}` : key);
    // Two ports of one instance: the second gets a name of its own.
    const name = backend.servers.has(plain) ? `${plain}:${port}` : plain;
    backend.servers.set(name, { address: `${ip}:${port}`, san });
    if (app && index !== undefined) backend.aims.set(`${app}:${index}`, name);
  }
  return backend;
}
