import { plan } from "../../roles/plan.ts";
import type { ClusterSpec } from "../../roles/spec.ts";
import { effects } from "../effects.ts";
import type { Found } from "../inventoryFound.ts";
import { replacements } from "../replacements.ts";
import { type Ended, run, stateOf, type Watch } from "../run.ts";
import { leftBehind } from "./leftBehind.ts";
import { Roller } from "./roller.ts";
import type { Site } from "./site.ts";

/** A node at one moment of its replacement. */
export interface Turn {
  readonly node: string;
  /** EC2's id of the machine that is meant. */
  readonly instance: string;
  /** The node's roles as they are now. */
  readonly roles: readonly string[];
}

/** What only those can tell who speak with the cluster. Both may take long; `stop` ends them early. */
export interface Hands {
  /** Resolves when the machine does the node's work. Rejects when it does not: then nobody is taken away for it. */
  ready(turn: Turn, stop: AbortSignal): Promise<void>;
  /** Resolves when the machine has nothing left to do. Rejects when the cluster cannot spare it now: then it stays. */
  drain(turn: Turn, stop: AbortSignal): Promise<void>;
}

/** For where no machine boots: what EC2 has made is ready, and nothing runs on it. */
export const immediate: Hands = { ready: async () => {}, drain: async () => {} };

export interface RollingOptions extends Omit<Watch, "flags" | "env"> {
  readonly spec: ClusterSpec;
  readonly hands: Hands;
  /** Machines of this cluster and stack, by their tags. Asked only when an engine was cut off while it made some. */
  readonly find: () => Promise<readonly Found[]>;
  /** Told before each wait. */
  readonly onTurn?: (what: keyof Hands, turn: Turn) => void;
}

/**
 * `up`, so that no role loses more than one node at a time: first all that replaces nobody, then batch after batch, each
 * node by create, ready, drain, delete (a core, whose address is its place, by drain, delete, create, ready; a machine
 * that only changes its size by drain, restart, ready), at last what is left. Ended or cut off at any point it is simply
 * run again: what there is to do follows from the state. Rejects with what the hands reject with, or with EngineError.
 */
export async function rollingUp(site: Site, options: RollingOptions): Promise<Ended> {
  const { spec, find } = options;
  const state = (await stateOf(site)) ?? { outputs: {}, machines: [], begun: new Set<string>() };
  const nodes = plan(spec);
  const found = state.begun.size > 0 ? leftBehind(state, await find(), nodes) : {};
  // Machines that the person names come first.
  const adopt = { ...found, ...named(site.env["TUTTI_ADOPT"]) };
  const [leaving, staying] = [true, false].map((gone) => state.machines.filter((one) => one.leaving === gone));
  const image = spec.aws?.image.startsWith("ami-") ? spec.aws.image : undefined;
  const foreseen = effects(staying ?? [], nodes, image);
  const batches = replacements(foreseen, nodes);
  if (batches.length === 0 && leaving?.length === 0)
    return await run(site, "up", { ...options, env: { TUTTI_ADOPT: JSON.stringify(adopt) } });
  const born = foreseen.filter(({ kind }) => kind === "create").map(({ node }) => node);
  return await new Roller(site, options, { adopt, born }).roll(leaving ?? [], batches);
}

function named(text: string | undefined): Record<string, string> {
  return text ? (JSON.parse(text) as Record<string, string>) : {};
}
