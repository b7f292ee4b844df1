import { type Runner, stopped } from "../../agent/run/runner.ts";

export interface HandRunner extends Runner {
  becomeReady(): void;
  /** Ends it unasked, with an error if one is given. */
  end(error?: Error): void;
  /** What happened, in order: `start`, `stop`, `end`. */
  readonly events: string[];
  readonly runs: number;
}

/** A runner that a test plays by hand. `events` may be shared by several to see their order. */
export function handRunner(name: string, events: string[] = []): HandRunner {
  let ready = () => {};
  let ending = Promise.withResolvers<void>();
  let runs = 0;
  return {
    name,
    events,
    get runs() {
      return runs;
    },
    becomeReady: () => ready(),
    end: (error) => (error ? ending.reject(error) : ending.resolve()),
    async run(stop, tell) {
      runs++;
      ready = tell;
      ending = Promise.withResolvers();
      events.push(`${name} starts`);
      let over = false;
      const asked = stopped(stop).then(() => over || events.push(`${name} is asked to stop`));
      try {
        await Promise.race([ending.promise, asked]);
      } finally {
        over = true;
        events.push(`${name} ended`);
      }
    },
  };
}
