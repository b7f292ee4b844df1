import type { Bus } from "../bus/bus.ts";
import { at } from "../bus/subject.ts";
import { subjects } from "../bus/subjects.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import type { Store } from "../store/store.ts";
import { records } from "./office.ts";
import type { Roster } from "./roster.ts";

export interface WishingOptions {
  bus: Bus;
  store: Store;
  roster: Roster;
  /** Resolves when the server lets nodes speak as they should now. */
  settled: () => Promise<void>;
  /** Milliseconds. */
  beat: number;
}

/** Tells nodes what they should be: when they ask, and when it changes. */
export function wishing({ bus, store, roster, settled, beat }: WishingOptions): Runner {
  const { members, wishes } = records(store);
  // What another core has just written, the store knows before we hear of it.
  const rolesOf = async (node: string) =>
    roster.rolesOf(node) ?? (await wishes.get(node))?.value.roles ?? (await members.get(node))?.value.roles;
  const tell = async (node: string, gained: boolean, stop: AbortSignal) => {
    // A node would be refused what it may not say yet: it hears of new roles when the servers know of them.
    if (gained) await settled().then(() => sleep(beat, stop));
    const roles = roster.rolesOf(node);
    if (roles && !stop.aborted) bus.publish(at(subjects.nodeRoles, { node }), { roles: [...roles] });
  };
  return {
    name: "wishes",
    async run(stop, ready) {
      const heard = bus.subscribe(subjects.nodeWish, async (_nothing, { subject, reply }) => {
        const roles = await rolesOf(subject.split(".")[3] ?? "");
        if (roles) reply({ roles: [...roles] });
      });
      const deaf = roster.onRoles(({ node, gained }) => void tell(node, gained, stop));
      await bus.flush();
      ready();
      await stopped(stop);
      deaf();
      heard.stop();
    },
  };
}
