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

const verdict = /\] (Reloaded server configuration|Failed to reload)/;
const patience = 10_000;

/** The texts: the one in the file, the one that stood there at the server's start, the one that it goes by. */
interface Texts {
  written: string;
  spawned: string;
  /** Undefined while no server listens. */
  taken: string | undefined;
}

export function reloads(options: ReloadsOptions): Reloads {
  const texts: Texts = { written: "", spawned: "", taken: undefined };
  const [bell, waiting] = [doorbell(), turns()];
  let count = 0;
  return {
    runner: ringing(bell, options, async (stop) => {
      const turn = waiting.last;
      const before = texts.taken;
      if (!(await renewed(texts, options, stop))) return false;
      if (texts.taken === undefined) return true;
      if (texts.taken !== before) count++;
      waiting.settle(turn);
      return true;
    }),
    get count() {
      return count;
    },
    async begin() {
      texts.written = options.text();
      await options.write(texts.written);
    },
    want() {
      bell.ring();
      return waiting.next();
    },
    spawned: () => void Object.assign(texts, { taken: undefined, spawned: texts.written }),
    up() {
      texts.taken = texts.spawned;
      bell.ring();
    },
  };
}

/** Brings the file and the server to what should be. Resolves to whether they are there, as far as one runs. */
async function renewed(
  texts: Texts,
  { text, write, signal, lines, log }: ReloadsOptions,
  stop: AbortSignal,
): Promise<boolean> {
  const wanted = text();
  if (wanted !== texts.written) await write(wanted);
  texts.written = wanted;
  if (texts.taken === undefined || texts.taken === wanted) return true;
  const heard = lines.next(verdict, { timeout: patience, stop });
  signal();
  const said = await heard;
  if (stop.aborted) return true;
  if (!said?.includes("Reloaded")) {
    log.error({ said: said ?? "nothing" }, "the server did not take its new configuration");
    return false;
  }
  texts.taken = wanted;
  return true;
}

type Doorbell = ReturnType<typeof doorbell>;

/** Rung any number of times before somebody comes, it calls once. */
function doorbell() {
  let rung = Promise.withResolvers<void>();
  return {
    ring: () => rung.resolve(),
    called: () => rung.promise,
    again() {
      rung = Promise.withResolvers();
    },
  };
}

/** Those who wait, in the order in which they came. */
function turns() {
  let last = 0;
  let waiting: { turn: number; resolve: () => void }[] = [];
  return {
    get last() {
      return last;
    },
    next(): Promise<void> {
      const turn = ++last;
      return new Promise((resolve) => waiting.push({ turn, resolve }));
    },
    settle(upTo: number) {
      for (const { turn, resolve } of waiting) if (turn <= upTo) resolve();
      waiting = waiting.filter(({ turn }) => turn > upTo);
    },
  };
}

/** Does a round a moment after the bell, and again a beat later as long as it does not succeed. */
function ringing(
  bell: Doorbell,
  { beat, log }: ReloadsOptions,
  round: (stop: AbortSignal) => Promise<boolean>,
): Runner {
  return {
    name: "reloads",
    async run(stop, ready) {
      ready();
      stop.addEventListener("abort", bell.ring, { once: true });
      while (!stop.aborted) {
        await bell.called();
        await sleep(beat / 20, stop);
        bell.again();
        if (stop.aborted) break;
        const done = await round(stop).catch((error) => {
          log.error({ error: String(error) }, "the server's configuration could not be renewed");
          return false;
        });
        if (!done) await sleep(beat, stop).then(bell.ring);
      }
      stop.removeEventListener("abort", bell.ring);
    },
  };
}
