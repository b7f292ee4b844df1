import type { Io } from "../io.ts";
import { took } from "../show.ts";

/** A step of a push, as it was seen; `tutti trace` shows the flow of 2012 with its own numbers. */
export interface Step {
  /** 1, 2, 3 … in the order in which they were shown. */
  number: number;
  name: string;
  /** Milliseconds. */
  ms: number;
}

export interface Steps {
  readonly done: readonly Step[];
  /** Milliseconds since the first. */
  elapsed(): number;
  /** Does one step, and says how long it took and what `tell` makes of its result. */
  take<T>(name: string, work: () => Promise<T>, tell?: (result: T) => string): Promise<T>;
  /** A step that was timed elsewhere. */
  add(name: string, ms: number, detail?: string): void;
  /** Something on the way: rewritten in place on a terminal, left out elsewhere. */
  progress(text: string): void;
  /** A line in between. */
  line(text: string): void;
}

/** Says each step on stderr as it is through. */
export function steps(io: Io): Steps {
  const began = performance.now();
  const done: Step[] = [];
  const clear = () => void (io.live && io.stderr.write("\r\u001b[K"));
  const add = (name: string, ms: number, detail = "") => {
    const number = done.length + 1;
    done.push({ number, name, ms });
    clear();
    io.note(stepText({ number, name, ms }, detail));
  };
  return {
    done,
    add,
    elapsed: () => performance.now() - began,
    async take(name, work, tell) {
      const from = performance.now();
      const result = await work();
      add(name, performance.now() - from, tell?.(result));
      return result;
    },
    progress(text) {
      if (io.live) io.stderr.write(`\r\u001b[K     ${text.slice(0, Math.max(20, (io.stderr.columns ?? 80) - 6))}`);
    },
    line(text) {
      clear();
      io.note(text);
    },
  };
}

export function stepText({ number, name, ms }: Step, detail: string): string {
  return `${String(number).padStart(3)}  ${name.padEnd(20)} ${took(ms).padStart(8)}  ${detail}`.trimEnd();
}

export function stepsJson(done: readonly Step[]) {
  return done.map(({ number, name, ms }) => ({ number, name, seconds: Math.round(ms) / 1000 }));
}
