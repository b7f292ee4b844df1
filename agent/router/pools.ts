import type { Slots } from "./slots.ts";
import type { Member, Route } from "./table.ts";

/** Routes with exactly the same endpoints: they share one backend. */
export interface Pool {
  readonly slot: number;
  readonly routes: Set<Route>;
  members: readonly Member[];
}

/** What regrouping changed, in HAProxy's words: backends with other servers, and hosts that go to another backend. */
export interface Regrouped {
  slots: Set<number>;
  hosts: Set<string>;
}

// Moving a name is a walk through the whole map in HAProxy; a group larger than this stays where it is.
const mergeLimit = 100;

/**
 * Groups routes into pools. A pool keeps its slot while its endpoints come and go, so that scaling or restarting an
 * app changes servers only and never a map; it splits when its routes part and merges when they meet.
 */
export class Pools {
  readonly #slots: Slots;
  readonly #of = new Map<Route, Pool>();
  readonly #bySlot = new Map<number, Pool>();
  readonly #byKey = new Map<string, Pool>();

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  of(route: Route): Pool | undefined {
    return this.#of.get(route);
  }

  at(slot: number): Pool | undefined {
    return this.#bySlot.get(slot);
  }

  slots(): Iterable<number> {
    return this.#bySlot.keys();
  }

  get highest(): number {
    return this.#slots.highest;
  }

  /** Follows a change of the table. `exists` tells whether a touched route is still in it. */
  regroup(touched: Iterable<Route>, exists: (route: Route) => boolean, now: number): Regrouped {
    const changed: Regrouped = { slots: new Set(), hosts: new Set() };
    const kept: Route[] = [];
    for (const route of touched) {
      if (exists(route)) kept.push(route);
      else this.#move(route, undefined, { changed, now });
    }
    const parties = Map.groupBy(kept, (route) => `${this.#of.get(route)?.slot ?? ""} ${keyOf(membersOf(route))}`);
    for (const party of parties.values()) this.#seat(party, { changed, now });
    return changed;
  }

  /** Routes of one pool (or of none) that have the same endpoints now. */
  #seat(party: Route[], round: Round) {
    const [first] = party;
    if (!first) return;
    const key = keyOf(membersOf(first));
    const old = this.#of.get(first);
    const same = key === "" ? undefined : this.#byKey.get(key);
    if (old && old.routes.size === party.length && (!same || same === old || party.length > mergeLimit))
      return this.#serve(old, first, round);
    const pool = same ?? this.#open(round.now);
    for (const route of party) this.#move(route, pool, round);
    if (pool !== same) this.#serve(pool, first, round);
  }

  #open(now: number): Pool {
    const pool: Pool = { slot: this.#slots.take(now), routes: new Set(), members: [] };
    this.#bySlot.set(pool.slot, pool);
    return pool;
  }

  #serve(pool: Pool, like: Route, { changed }: Round) {
    this.#unlist(pool);
    pool.members = membersOf(like);
    const key = keyOf(pool.members);
    if (key !== "" && !this.#byKey.has(key)) this.#byKey.set(key, pool);
    changed.slots.add(pool.slot);
  }

  #move(route: Route, pool: Pool | undefined, { changed, now }: Round) {
    const old = this.#of.get(route);
    if (old === pool) return;
    changed.hosts.add(route.host);
    if (pool) {
      this.#of.set(route, pool);
      pool.routes.add(route);
    } else this.#of.delete(route);
    old?.routes.delete(route);
    if (old?.routes.size === 0) this.#close(old, { changed, now });
  }

  #close(pool: Pool, { changed, now }: Round) {
    this.#unlist(pool);
    this.#bySlot.delete(pool.slot);
    this.#slots.release(pool.slot, now);
    changed.slots.add(pool.slot);
  }

  #unlist(pool: Pool) {
    const key = keyOf(pool.members);
    if (this.#byKey.get(key) === pool) this.#byKey.delete(key);
  }
}

interface Round {
  changed: Regrouped;
  now: number;
}

const membersOf = (route: Route) => [...route.members.keys()].sort((a, b) => a.serial - b.serial);
const keyOf = (members: readonly Member[]) => members.map(({ serial }) => serial).join(" ");
