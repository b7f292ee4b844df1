/** Which nodes have spoken lately. */
export interface Pulse {
  heard(node: string): void;
  /** True as well while it has not been listened for long enough to know. */
  alive(node: string): boolean;
}

// Beats of silence.
const silence = 5;

/** `now`: monotonic milliseconds. */
export function pulse({ beat, now }: { beat: number; now: () => number }): Pulse {
  const began = now();
  const last = new Map<string, number>();
  return {
    heard: (node) => void last.set(node, now()),
    alive: (node) => now() - (last.get(node) ?? began) <= silence * beat,
  };
}
