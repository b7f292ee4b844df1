/** A revision, and since when (monotonic ms) it has been seen unchanged. */
export interface Observation {
  revision: number;
  since: number;
}

export interface Look {
  /** 0: nobody holds the lease. */
  revision: number;
  /** The entry names us: a write of ours was done though we never heard so. */
  mine: boolean;
  seen: Observation | undefined;
  at: number;
  /** How long (ms) a revision must stand unchanged before its holder counts as gone. */
  patience: number;
}

/** Whether to claim the lease now, and what to remember of what was seen. */
export function candidacy({ revision, mine, seen, at, patience }: Look): { claim: boolean; seen: Observation } {
  const known = seen?.revision === revision ? seen : { revision, since: at };
  return { claim: revision === 0 || mine || at - known.since >= patience, seen: known };
}
