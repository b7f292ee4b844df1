import type { Bus } from "./bus/bus.ts";
import { at } from "./bus/subject.ts";
import { subjects } from "./bus/subjects.ts";
import type { Log } from "./run/log.ts";

export interface WishesOptions {
  bus: Bus;
  /** Id of the node. */
  node: string;
  /** Milliseconds. */
  beat: number;
  log: Log;
  /** Told which roles the node should have: maybe those that it has. */
  become: (roles: readonly string[]) => void;
}

export interface Wishes {
  /** To be called once a beat: asks when it is time to. */
  beat(): void;
  stop(): void;
}

/** Beats between two questions that nobody answers: a core may be on this very node, and not be up yet. */
const longest = 30;

/** What the cluster wants a node to be: it is told of each change, and asks whenever it may have missed one. */
export function wishes({ bus, node, beat, log, become }: WishesOptions): Wishes {
  let due = { in: 0, pause: 1 };
  let told = 0;
  let asking = false;
  const ask = async () => {
    const [before, round] = [told, due];
    const answer = await bus.request(at(subjects.nodeWish, { node }), {}, { timeout: Math.max(2 * beat, 1000) });
    if (!answer) return;
    // Unless the bus has been away once more.
    if (due === round) round.in = Number.POSITIVE_INFINITY;
    // What was told meanwhile is newer than an answer that was on its way.
    if (told === before) become(answer.roles);
  };
  const heard = bus.subscribe(at(subjects.nodeRoles, { node }), ({ roles }) => {
    told += 1;
    become(roles);
  });
  const unwatch = bus.onConnection((connected) => {
    if (connected) due = { in: 0, pause: 1 };
  });
  return {
    beat() {
      due.in -= 1;
      if (due.in > 0 || asking || !bus.connected) return;
      Object.assign(due, { in: due.pause, pause: Math.min(longest, due.pause * 2) });
      asking = true;
      ask()
        .catch((error: unknown) => log.warn({ error: String(error) }, "what this node should be could not be asked"))
        .finally(() => {
          asking = false;
        });
    },
    stop() {
      heard.stop();
      unwatch();
    },
  };
}
