import type { Front } from "./front.ts";
import { latency } from "./stats.ts";

/** How HAProxy is. */
export interface Pulse {
  /** To be called once a beat. Never rejects. */
  beat(): Promise<void>;
  readonly answers: boolean;
  varz(): Record<string, unknown>;
}

export function pulseOf(front: Front): Pulse {
  let answers = false;
  let mean = { value: 0, samples: 0 };
  // Asking every backend is dear, so it is done only while somebody reads the figures, for the next time.
  const refresh = () =>
    front.ask("show stat -1 2 -1").then(
      (csv) => {
        mean = latency(csv);
      },
      () => {},
    );
  return {
    async beat() {
      answers = await front.check().then(
        () => true,
        () => false,
      );
    },
    get answers() {
      return answers;
    },
    varz() {
      void refresh();
      const { totals, connections, requests_per_sec } = front.stats();
      return { ...totals, connections, requests_per_sec, latency: mean, reloads: front.reloads };
    },
  };
}
