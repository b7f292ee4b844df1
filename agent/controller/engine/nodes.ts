import type { NodeBeat } from "../../bus/messages/component.ts";
import type { NodeView } from "../engine.ts";

/** The nodes that have been heard of, by their beats. `now` is the attention clock's. */
export interface Nodes {
  heard(beat: NodeBeat, now: number): void;
  /** A node that was shut out is no node that is lost. */
  forget(id: string): void;
  views(now: number): NodeView[];
}

/** A node is LOST after three beats of silence and forgotten after an hour of them. */
export function nodes({ beat }: { beat: number }): Nodes {
  const known = new Map<string, { last: NodeBeat; heard: number; seen: number }>();
  return {
    heard: (last, now) => void known.set(last.id, { last, heard: now, seen: Date.now() }),
    forget: (id) => void known.delete(id),
    views(now) {
      for (const [id, { heard }] of known) if (now - heard > 3600 * beat) known.delete(id);
      return [...known.values()].map(({ last, heard, seen }) => ({
        ...last,
        state: now - heard > 3 * beat ? ("LOST" as const) : ("UP" as const),
        seen,
      }));
    },
  };
}
