import type { Bus, Subscription } from "../bus/bus.ts";
import { pattern, type Subject } from "../bus/subject.ts";
import { subjects } from "../bus/subjects.ts";
import type { Log } from "../run/log.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { aliases } from "./aliases.ts";
import { type RingLimits, ring } from "./ring.ts";
import { type Said, sentences } from "./sentences.ts";
import { softState } from "./softState.ts";

export interface RecorderOptions {
  bus: Bus;
  log: Log;
  limits?: RingLimits;
  now?: () => number;
}

export interface Recorder {
  readonly runner: Runner;
  /** How many messages it holds. */
  size(): number;
}

// An answer must fit into one message.
const mostTold = 2000;

/** Listens to what is said about apps, and answers `tutti.v1.trace.{app}` with sentences that a person can read. */
export function recorder(options: RecorderOptions): Recorder {
  const { bus, limits = { messages: 20_000, age: 10 * 60_000 }, now = Date.now } = options;
  const kept = ring(limits);
  const known = aliases();
  const listen = (row: Subject<unknown>, tell: (payload: unknown, subject: string) => Said | undefined): Subscription =>
    // Outside of any queue group: the recorder takes no work from anybody.
    bus.subscribe({ ...row, queue: undefined }, (payload, { subject }) => {
      known.learn(row.name, payload);
      const said = tell(payload, subject);
      if (said) kept.add({ at: now(), subject, ...said });
    });
  const answer = () =>
    bus.subscribe(subjects.trace, (_nothing, { subject, reply }) => {
      const app = subject.slice(pattern(subjects.trace).length - 1);
      const messages = kept.about(known.of(app), now()).slice(-mostTold);
      reply({ messages: messages.map(({ at, subject, what, from }) => ({ at, subject, what, from })) });
    });
  const runner: Runner = {
    name: "recorder",
    async run(stop, ready) {
      const told = { ...sentences, ...softState() };
      const rows = Object.entries(subjects) as [keyof typeof subjects, Subject<unknown>][];
      const heard = rows.flatMap(([key, row]) => {
        const tell = told[key] as ((payload: unknown, subject: string) => Said | undefined) | undefined;
        return tell ? [listen(row, tell)] : [];
      });
      heard.push(answer());
      await bus.flush();
      ready();
      await stopped(stop);
      for (const subscription of heard) subscription.stop();
    },
  };
  return { runner, size: () => kept.size };
}
