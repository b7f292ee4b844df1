import { type Endpoint, endpointKey, sameInstance } from "./endpoint.ts";
import { type RouteName, routeName } from "./names.ts";

/** A name and who serves it, each with the time (ms) of the last news. */
export interface Route extends RouteName {
  members: Map<Member, number>;
  /** Since when nobody serves it; undefined while somebody does. */
  emptySince: number | undefined;
}

/** One instance at one address, until it leaves or another takes over its port: that one is another member. */
export interface Member {
  readonly serial: number;
  endpoint: Endpoint;
  routes: Set<Route>;
}

/** The routes whose endpoints an operation changed, and the uris that it refused because they are no routes. */
export interface Outcome {
  touched: Set<Route>;
  refused: string[];
}

/** What an unregistration says. */
export interface Departure {
  host: string;
  port: number;
  tls_port?: number | undefined;
  uris: readonly string[];
  app?: string | undefined;
  private_instance_id?: string | undefined;
}

/** The route table: who serves which name. Knows nothing of HAProxy, of clocks and of the bus. */
export class RouteTable {
  readonly #routes = new Map<string, Route>();
  readonly #hosts = new Map<string, Map<string, Route>>();
  readonly #members = new Map<string, Member>();
  #serial = 0;

  /** Number of names. */
  get size(): number {
    return this.#routes.size;
  }

  route(name: string): Route | undefined {
    return this.#routes.get(name);
  }

  routes(): Iterable<Route> {
    return this.#routes.values();
  }

  hosts(): Iterable<string> {
    return this.#hosts.keys();
  }

  ofHost(host: string): Iterable<Route> {
    return this.#hosts.get(host)?.values() ?? [];
  }

  endpoint(key: string): Endpoint | undefined {
    return this.#members.get(key)?.endpoint;
  }

  /** Every endpoint with the names it serves. */
  *endpoints(): Iterable<{ endpoint: Endpoint; names: string[] }> {
    for (const { endpoint, routes } of this.#members.values())
      yield { endpoint, names: [...routes].map((route) => route.name) };
  }

  register(endpoint: Endpoint, uris: readonly string[], now: number): Outcome {
    const touched = new Set<Route>();
    const refused: string[] = [];
    const one = this.#settle(endpoint, touched, now);
    for (const uri of uris) {
      // A name that is known already needs no second examination: most registrations are repetitions.
      const name = this.#routes.get(uri) ?? routeName(uri);
      if (name) this.#join(one, this.#routes.get(name.name) ?? this.#create(name), { now, touched });
      else refused.push(uri);
    }
    if (one.routes.size > 0) this.#members.set(endpoint.key, one);
    return { touched, refused };
  }

  unregister(from: Departure, now: number): Outcome {
    const touched = new Set<Route>();
    const one = this.#members.get(endpointKey(from));
    if (!one || !speaksOf(from, one.endpoint)) return { touched, refused: [] };
    for (const uri of from.uris) {
      const route = this.#routes.get(uri) ?? this.#routes.get(routeName(uri)?.name ?? "");
      if (!route?.members.has(one)) continue;
      this.#leave(one, route, now);
      touched.add(route);
    }
    return { touched, refused: [] };
  }

  /** Drops what had no news for its time, and names that nobody has served for `grace` ms. */
  prune(now: number, grace: number): Outcome {
    const touched = new Set<Route>();
    for (const route of this.#routes.values()) {
      for (const [one, at] of route.members) {
        if (now - at < one.endpoint.ttl) continue;
        this.#leave(one, route, now);
        touched.add(route);
      }
      if (route.emptySince === undefined || now - route.emptySince < grace) continue;
      this.#forget(route);
      touched.add(route);
    }
    return { touched, refused: [] };
  }

  /** Counts everything as heard of just now: the bus was away, and silence meant nothing. */
  freshen(now: number): void {
    for (const { members } of this.#routes.values()) for (const one of members.keys()) members.set(one, now);
  }

  /** The endpoint as known so far. One whose port another instance took over leaves all its routes first. */
  #settle(endpoint: Endpoint, touched: Set<Route>, now: number): Member {
    const old = this.#members.get(endpoint.key);
    const moved = old && (old.endpoint.ip !== endpoint.ip || old.endpoint.index !== endpoint.index);
    const same = old && sameInstance(old.endpoint, endpoint);
    for (const route of same && !moved ? [] : [...(old?.routes ?? [])]) {
      touched.add(route);
      if (old && !same) this.#leave(old, route, now);
    }
    if (!old || !same) return { serial: ++this.#serial, endpoint, routes: new Set() };
    old.endpoint = endpoint;
    return old;
  }

  #join(one: Member, route: Route, { now, touched }: { now: number; touched: Set<Route> }) {
    if (!one.routes.has(route)) touched.add(route);
    one.routes.add(route);
    route.members.set(one, now);
    route.emptySince = undefined;
  }

  #leave(one: Member, route: Route, now: number) {
    one.routes.delete(route);
    route.members.delete(one);
    if (route.members.size === 0) route.emptySince = now;
    if (one.routes.size === 0) this.#members.delete(one.endpoint.key);
  }

  #create(name: RouteName): Route {
    const route: Route = { ...name, members: new Map(), emptySince: undefined };
    this.#routes.set(name.name, route);
    const siblings = this.#hosts.get(name.host) ?? new Map<string, Route>();
    this.#hosts.set(name.host, siblings.set(name.path, route));
    return route;
  }

  #forget(route: Route) {
    this.#routes.delete(route.name);
    const siblings = this.#hosts.get(route.host);
    siblings?.delete(route.path);
    if (siblings?.size === 0) this.#hosts.delete(route.host);
  }
}

// A repeated or late goodbye of the instance that had this port before says nothing about the one that has it now.
function speaksOf(from: Departure, endpoint: Endpoint): boolean {
  if (from.app && endpoint.app && from.app !== endpoint.app) return false;
  return !(from.private_instance_id && endpoint.instance && from.private_instance_id !== endpoint.instance);
}
