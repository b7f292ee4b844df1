import type { NodeBeat } from "../../bus/messages.ts";
import type { NodeView } from "../engine.ts";

/** The nodes that have been heard of, by their beats. */
export interface Nodes {
  heard(beat: NodeBeat, now: number): void;
  /** After the bus was away nobody may be held to be lost for having been silent. */
  freshen(now: number): void;
  views(now: number): NodeView[];
}

/** A node is LOST after three beats of silence and forgotten after an hour of them. */
export function nodes({ beat }: { beat: number }): Nodes {
  const known = new Map<string, { last: NodeBeat; seen: number }>();
  return {
    heard: (last, now) => void known.set(last.id, { last, seen: now }),
    freshen(now) {
      for (const node of known.values()) node.seen = now;
    },
    views(now) {
      for (const [id, { seen }] of known) if (now - seen > 3600 * beat) known.delete(id);
      return [...known.values()].map(({ last, seen }) => ({
        ...last,
        state: now - seen > 3 * beat ? ("LOST" as const) : ("UP" as const),
        seen,
      }));
    },
  };
}
