/** Milliseconds in which this controller could hear others. */
export interface Attention {
  now(): number;
  tick(): void;
  /** When it came (back) to the bus. */
  arrive(): void;
  /** Whether everybody who speaks every five beats must have been heard since it came. */
  complete(): boolean;
  /** When it came, in Unix milliseconds; infinity before. */
  since(): number;
}

/**
 * The clock by which silence is judged. It stands while the bus is away and does not jump when this process was stalled:
 * nobody is held to be dead for what could not be heard.
 */
export function attention({ bus, beat }: { bus: { readonly connected: boolean }; beat: number }): Attention {
  let heard = 0;
  let last = Date.now();
  let arrived = Number.POSITIVE_INFINITY;
  let since = Number.POSITIVE_INFINITY;
  return {
    now: () => heard,
    tick() {
      const now = Date.now();
      if (bus.connected) heard += Math.min(Math.max(0, now - last), 2 * beat);
      last = now;
    },
    arrive() {
      arrived = heard;
      since = Date.now();
    },
    complete: () => bus.connected && heard - arrived > 6 * beat,
    since: () => since,
  };
}
