import type { Deployment } from "../records.ts";
import type { Tables } from "../tables.ts";

/**
 * One controller rolls a deployment at a time. The claim is a counter in the record, written compare-and-set: another
 * controller takes over only when, by its own clock, the record has stood still for ten beats.
 */
export function rollClaims({ tables, holder, beat }: { tables: Tables; holder: string; beat: number }) {
  const seen = new Map<string, { updated: string; at: number }>();
  const renewed = new Map<string, number>();
  const stoodStill = (deployment: Deployment, now: number) => {
    const last = seen.get(deployment.guid);
    if (last?.updated === deployment.updated_at) return now - last.at > 10 * beat;
    seen.set(deployment.guid, { updated: deployment.updated_at, at: now });
    return false;
  };
  return {
    /** The record with the claim renewed; undefined when another controller has it. */
    async claim(guid: string, now: number): Promise<Deployment | undefined> {
      const known = tables.deployments.get(guid);
      if (known?.status !== "ACTIVE") {
        seen.delete(guid);
        renewed.delete(guid);
        return undefined;
      }
      // Steps may follow each other quickly, and nobody else takes over within a beat.
      if (known.roller?.holder === holder && now - (renewed.get(guid) ?? 0) < beat / 2) return known;
      const free = !known.roller || known.roller.holder === holder || stoodStill(known, now);
      if (!free) return undefined;
      let mine = false;
      const written = await tables.deployments.update(guid, (one) => {
        // Whoever wrote since this controller looked has the claim.
        mine = one.status === "ACTIVE" && (one.roller?.holder === holder || one.roller?.beats === known.roller?.beats);
        return mine ? { ...one, roller: { holder, beats: (one.roller?.beats ?? 0) + 1 } } : undefined;
      });
      if (mine) renewed.set(guid, now);
      return mine ? written : undefined;
    },
  };
}
