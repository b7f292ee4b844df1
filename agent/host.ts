import type { Log } from "./run/log.ts";
import { restart } from "./run/restart.ts";
import { type Runner, type Running, start } from "./run/runner.ts";

/** A component as this node sees it. `since` Unix seconds; `reason` and `hint` say why it is failing. */
export interface ComponentState {
  readonly name: string;
  readonly state: "starting" | "ready" | "failing" | "stopping";
  readonly since: number;
  readonly code?: string;
  readonly reason?: string;
  readonly hint?: string;
}

interface Step {
  readonly do: "start" | "stop";
  readonly component: string;
  readonly reason: string;
}

export interface HostOptions {
  beat: number;
  log: Log;
  make: (component: string) => Runner;
  onState: (states: readonly ComponentState[]) => void;
}

/** The components that live on this node. */
export interface Hosted {
  /** Carries out the steps that `plan` makes of the components that run now. One call at a time; others wait. */
  apply(plan: (running: readonly string[]) => readonly Step[]): Promise<void>;
  states(): readonly ComponentState[];
}

/**
 * Starts, restarts and stops components. A component that ends unasked comes back after a beat, and later each time it
 * fails early; the others do not notice.
 */
export function host({ beat, log, make, onState }: HostOptions): Hosted {
  const running = new Map<string, Running>();
  const states = new Map<string, ComponentState>();
  let turn: Promise<void> = Promise.resolve();
  const set = (name: string, state: Omit<ComponentState, "name" | "since">) => {
    states.set(name, { name, since: Math.floor(Date.now() / 1000), ...state });
    onState([...states.values()]);
  };
  const begin = (name: string) => {
    set(name, { state: "starting" });
    const lasting = restart(
      watched(make(name), () => set(name, { state: "ready" })),
      {
        minDelay: beat,
        maxDelay: 30 * beat,
        onExit: (error, delay) => {
          set(name, { state: "failing", ...explain(error) });
          log.error(
            { component: name, error: error?.stack, delay },
            "a component ended unasked and will be started again",
          );
        },
      },
    );
    running.set(name, start(lasting));
  };
  const end = async (name: string) => {
    set(name, { state: "stopping" });
    await running.get(name)?.stop();
    running.delete(name);
    states.delete(name);
    onState([...states.values()]);
  };
  const act = async ({ do: what, component, reason }: Step) => {
    log.info({ component, reason }, `${what} a component`);
    await (what === "start" ? begin(component) : end(component));
  };
  return {
    apply(plan) {
      turn = turn.then(async () => {
        for (const step of plan([...running.keys()])) await act(step);
      });
      return turn;
    },
    states: () => [...states.values()],
  };
}

/** The same runner, telling of each time it becomes ready: `restart` itself is ready only once. */
function watched(runner: Runner, onReady: () => void): Runner {
  return {
    name: runner.name,
    run: (stop, ready) =>
      runner.run(stop, () => {
        onReady();
        ready();
      }),
  };
}

/** What a person needs of an error: the innermost one that says what to do, else the outermost. */
export function explain(error: Error | undefined): Pick<ComponentState, "code" | "reason" | "hint"> {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code, hint } = cause as { code?: unknown; hint?: unknown };
    if (typeof hint === "string") return { code: String(code), reason: cause.message, hint };
  }
  return { reason: error?.message ?? "it ended without an error" };
}
