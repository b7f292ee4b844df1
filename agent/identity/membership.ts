import type { Runner } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import { askToJoin } from "./ask.ts";
import { identityFiles, textOf } from "./files.ts";
import type { Held } from "./held.ts";
import { joinCluster, type Member, standingOf, step, untilBorn } from "./joinCluster.ts";
import { nodeKeys } from "./keys.ts";
import type { Joining } from "./newcomer.ts";
import { type Teller, teller } from "./teller.ts";
import { stateOf } from "./words.ts";

export interface MembershipOptions extends Joining {
  readonly held: Held;
  /** Whether the node is on the bus. */
  readonly connected: () => boolean;
}

/**
 * A node's belonging to the cluster: ready when it has been let in. From then on it has the certificate renewed when two
 * thirds of its time are over, and finds out why when the bus stays away: whether no core is there, or none that still
 * knows this node.
 */
export function membership(options: MembershipOptions): Runner {
  const { spec, held } = options;
  return {
    name: "identity",
    async run(stop, ready) {
      const tell = teller(options);
      const member = await joinCluster({ ...options, stop, tell }).catch((error: unknown) => {
        if (!stop.aborted) throw error;
      });
      if (!member) return;
      await held.refresh();
      ready();
      const turn = turns(options, member, tell);
      while (!stop.aborted) {
        await sleep(spec.beat, stop);
        if (!stop.aborted) await turn(stop);
      }
    },
  };
}

function turns(options: MembershipOptions, member: Member, tell: Teller) {
  const { spec, held, connected, log, now = Date.now } = options;
  const beats = { all: 0, away: 0, again: 0 };
  const renew = async (stop: AbortSignal) => {
    await held.refresh();
    const standing = await standingOf(options, member.files, member.keys);
    if (standing.verdict === "good" || beats.away > 0 || beats.all < beats.again) return;
    const state = await step({ ...options, ...member, standing, stop });
    beats.again = beats.all + 10 * asking;
    if (state.state !== "ready") log.warn(state, `this node's certificate ${standing.why}, and could not be renewed`);
    await held.refresh();
  };
  const findOut = async (stop: AbortSignal) => {
    const outcome = await askToJoin({ spec, keys: member.keys, log, stop });
    const state = stateOf({ outcome, now: now() });
    // A core that is only away is no news: everything here goes on without it.
    if (state.state === "failing") tell(state);
  };
  return async (stop: AbortSignal): Promise<void> => {
    beats.all += 1;
    beats.away = connected() ? 0 : beats.away + 1;
    if (beats.away === 0) tell({ state: "ready" });
    try {
      // A core that comes back lets its members in before it answers such questions.
      if (beats.away % asking === patience) await findOut(stop);
      if (beats.all % looking === 0) await renew(stop);
    } catch (error) {
      if (!stop.aborted) log.warn({ error: String(error) }, "this node could not look after its identity this time");
    }
  };
}

// Beats: how long the bus may be away before the node asks why, and how often it asks then and looks at its certificate.
const [patience, asking, looking] = [5, 30, 10];

/** The same for a core, which gives its certificate to itself: it waits for what makes it one. */
export function coreIdentity(options: Omit<MembershipOptions, "connected">): Runner {
  const { spec, held } = options;
  return {
    name: "identity",
    async run(stop, ready) {
      const files = identityFiles(spec.home);
      await nodeKeys(files);
      const tell = teller(options);
      await untilBorn(spec, tell, stop);
      while (!stop.aborted && (await textOf(files.authority)) === undefined) {
        tell({
          state: "starting",
          code: "waiting_for_identity",
          reason: "this core has not been given the identity of its cluster yet",
          hint: `tutti bootstrap brings it, to ${files.authority}`,
        });
        await sleep(Math.min(1000, spec.beat / 2), stop);
      }
      if (stop.aborted) return;
      tell({ state: "ready" });
      ready();
      while (!stop.aborted) {
        await held.refresh();
        await sleep(10 * spec.beat, stop);
      }
    },
  };
}
