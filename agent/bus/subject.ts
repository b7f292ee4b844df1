import type { z } from "zod";

/** Who speaks and listens. `tool` stands for collectors and operators' programs, `node` for the agent itself. */
export type Party = "controller" | "dea" | "health" | "router" | "stager" | "core" | "node" | "tool";

/** One subject of the bus: its name (with `{tokens}`), what travels on it, who speaks and who listens. */
export interface Subject<P, R = never> {
  readonly name: string;
  readonly payload: z.ZodType<P>;
  readonly reply?: z.ZodType<R>;
  readonly speakers: readonly Party[];
  readonly listeners: readonly Party[];
  /** Queue group of the listeners: each message reaches one of them. */
  readonly queue?: string;
  /** One sentence for the reference. */
  readonly what: string;
}

/** The subject with its tokens filled in, e.g. `at(subjects.deaUuidStart, { uuid })`. */
export function at<P, R>(subject: Subject<P, R>, tokens: Record<string, string>): Subject<P, R> {
  const name = subject.name.replace(/\{(\w+)\}/g, (whole, token: string) => tokens[token] ?? whole);
  return { ...subject, name };
}

/** The subject as a NATS pattern: every token left open becomes `*`. */
export function pattern(subject: { name: string }): string {
  return subject.name.replace(/\{\w+\}/g, "*");
}
