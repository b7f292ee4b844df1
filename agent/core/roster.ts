import type { Log } from "../run/log.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { bucket, type Change, type Store } from "../store/store.ts";
import { type Knowledge, type Member, memberRecord, wishRecord } from "./members.ts";

export interface RosterOptions {
  /** What was known before. */
  known: Pick<Knowledge, "members" | "wishes">;
  /** Milliseconds. */
  beat: number;
  log: Log;
  /** Who may speak, or what, has changed. */
  onChange: () => void;
}

/** Who belongs to the cluster, as the store says, or as it said when it could last be read. */
export interface Roster {
  readonly knowledge: Knowledge;
  /** What a node should be. */
  rolesOf(node: string): readonly string[] | undefined;
  /** Told when a node should be something else. Returns the way to unsubscribe. */
  onRoles(listener: (change: RolesChange) => void): () => void;
  /** What this core has just written: known before the store tells it. */
  learn(change: Change<Member>): void;
  /** Follows the store for as long as it runs; ready when everything in it is known. */
  following(store: Store): Runner;
}

export interface RolesChange {
  readonly node: string;
  /** It should be something that it was not. */
  readonly gained: boolean;
}

// Beats for which a node keeps the permissions of a role that it has lost.
const farewell = 60;

export function roster(options: RosterOptions): Roster {
  const members = new Map(options.known.members);
  const wishes = new Map(options.known.wishes);
  const listeners = new Set<(change: RolesChange) => void>();
  const parting = farewells({ ...options, time: farewell * options.beat });
  const knowledge: Knowledge = { members, wishes, leaving: parting.leaving };
  const revisions = new Map<string, number>();
  const learnMember = ({ key, value, revision }: Change<Member>) => {
    if (revision <= (revisions.get(key) ?? 0)) return;
    revisions.set(key, revision);
    if (value) members.set(key, value);
    else members.delete(key);
    options.onChange();
  };
  const learnWish = ({ key, value }: Change<{ roles: string[] }>) => {
    const before = wishes.get(key) ?? members.get(key)?.roles;
    if (value) wishes.set(key, value.roles);
    else wishes.delete(key);
    const lost = value && before?.filter((role) => !value.roles.includes(role));
    if (lost?.length) parting.begin(key, lost);
    options.onChange();
    if (!value || !before || same(before, value.roles)) return;
    const gained = value.roles.some((role) => !before.includes(role));
    for (const tell of listeners) tell({ node: key, gained });
  };
  return {
    knowledge,
    rolesOf: (node) => wishes.get(node) ?? members.get(node)?.roles,
    onRoles(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    learn: learnMember,
    following: (store) => ({
      name: "roster",
      async run(stop, ready) {
        const told = new Set<string>();
        const follow =
          <T>(learn: (change: Change<T>) => void, of: string) =>
          (change: Change<T>) => {
            told.add(`${of} ${change.key}`);
            learn(change);
          };
        const both = [
          bucket(store, "members", memberRecord).watch(follow(learnMember, "member")),
          bucket(store, "nodes", wishRecord).watch(follow(learnWish, "wish")),
        ];
        await Promise.race([Promise.all(both.map(({ current }) => current)), stopped(stop)]);
        if (!stop.aborted) forget({ members, wishes }, told);
        options.onChange();
        ready();
        await stopped(stop);
        for (const one of both) one.stop();
        parting.end();
      },
    }),
  };
}

/** What was known before and is not in the store any more. */
function forget(
  { members, wishes }: { members: Map<string, Member>; wishes: Map<string, unknown> },
  told: Set<string>,
) {
  for (const node of members.keys()) if (!told.has(`member ${node}`)) members.delete(node);
  for (const node of wishes.keys()) if (!told.has(`wish ${node}`)) wishes.delete(node);
}

interface Parting {
  readonly leaving: ReadonlyMap<string, readonly string[]>;
  begin(node: string, roles: readonly string[]): void;
  end(): void;
}

/** Roles that nodes have just lost, for as long as they may need to end in good order. */
function farewells({ time, onChange }: { time: number; onChange: () => void }): Parting {
  const leaving = new Map<string, readonly string[]>();
  const timers = new Map<string, NodeJS.Timeout>();
  const end = () => {
    for (const timer of timers.values()) clearTimeout(timer);
  };
  return {
    leaving,
    begin(node, roles) {
      leaving.set(node, [...new Set([...(leaving.get(node) ?? []), ...roles])]);
      clearTimeout(timers.get(node));
      const over = () => {
        leaving.delete(node);
        timers.delete(node);
        onChange();
      };
      timers.set(node, setTimeout(over, time));
    },
    end,
  };
}

const same = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((one) => b.includes(one));
