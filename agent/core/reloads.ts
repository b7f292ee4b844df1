import type { Log } from "../run/log.ts";
import type { Runner } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import type { ServerLines } from "./serverLines.ts";

export interface ReloadsOptions {
  /** Milliseconds. */
  beat: number;
  /** The configuration as it should be now. */
  text: () => string;
  /** Puts a text in place of the one that stands there. */
  write: (text: string) => Promise<void>;
  /** Tells the running server to read it. */
  signal: () => void;
  lines: ServerLines;
  log: Log;
}

/** Keeps the running server's configuration what it should be: many changes at once make few reloads. */
export interface Reloads {
  readonly runner: Runner;
  /** How many the server has taken. */
  readonly count: number;
  /** Writes it for the first time. */
  begin(): Promise<void>;
  /** Something has changed that the configuration is made of. Resolves when the server has taken it. */
  want(): Promise<void>;
  /** The server is being started: it will read what stands there. */
  spawned(): void;
  /** The server listens to signals. Before that one would end it. */
  up(): void;
}

const verdict = /\] (Reloaded server configuration|Failed to reload|Config reload)/;
const patience = 10_000;

export function reloads({ beat, text, write, signal, lines, log }: ReloadsOptions): Reloads {
  const state = { written: "", spawned: "", taken: undefined as string | undefined, wanted: 0, count: 0 };
  let waiting: { turn: number; resolve: () => void }[] = [];
  let woken = Promise.withResolvers<void>();
  const settle = (turn: number) => {
    for (const one of waiting) if (one.turn <= turn) one.resolve();
    waiting = waiting.filter((one) => one.turn > turn);
  };
  /** Resolves to whether the server has now what it should have, as far as it runs. */
  const round = async (stop: AbortSignal): Promise<boolean> => {
    const turn = state.wanted;
    const wanted = text();
    if (wanted !== state.written) await write(wanted);
    state.written = wanted;
    if (state.taken === undefined) return true;
    if (wanted !== state.taken) {
      const heard = lines.next(verdict, { timeout: patience, stop });
      signal();
      const said = await heard;
      if (!said?.includes("Reloaded server configuration")) {
        if (!stop.aborted) log.error({ said: said ?? "nothing" }, "the server did not take its new configuration");
        return stop.aborted;
      }
      state.taken = wanted;
      state.count++;
    }
    settle(turn);
    return true;
  };
  const runner: Runner = {
    name: "reloads",
    async run(stop, ready) {
      ready();
      const halt = () => woken.resolve();
      stop.addEventListener("abort", halt, { once: true });
      while (!stop.aborted) {
        await woken.promise;
        await sleep(beat / 20, stop);
        woken = Promise.withResolvers();
        if (stop.aborted) break;
        const done = await round(stop).catch((error) => {
          log.error({ error: String(error) }, "the server's configuration could not be written");
          return false;
        });
        if (!done) await sleep(beat, stop).then(() => woken.resolve());
      }
      stop.removeEventListener("abort", halt);
    },
  };
  return {
    runner,
    get count() {
      return state.count;
    },
    async begin() {
      state.written = text();
      await write(state.written);
    },
    want() {
      const turn = ++state.wanted;
      woken.resolve();
      return new Promise((resolve) => waiting.push({ turn, resolve }));
    },
    spawned() {
      state.taken = undefined;
      state.spawned = state.written;
    },
    up() {
      state.taken = state.spawned;
      woken.resolve();
    },
  };
}
