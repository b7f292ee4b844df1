import type { z } from "zod";

/**
 * Who speaks and listens. `tool` stands for collectors and operators' programs, `node` for the agent itself, `joiner` for
 * a machine that is not let in yet.
 */
export type Party = "controller" | "dea" | "health" | "router" | "stager" | "core" | "node" | "joiner" | "tool";

/** One subject of the bus: its name (with `{tokens}`), what travels on it, who speaks and who listens. */
export interface Subject<P, R = never> {
  readonly name: string;
  readonly payload: z.ZodType<P>;
  readonly reply?: z.ZodType<R>;
  readonly speakers: readonly Party[];
  readonly listeners: readonly Party[];
  /** Queue group of the listeners: each message reaches one of them. */
  readonly queue?: string;
  /**
   * Whose message it is, by its payload: a DEA's, an address's or a node's. In a cluster of several a node says it under
   * a name of its own, and a core passes on what is true: the bus cannot tell a receiver who has spoken.
   */
  readonly of?: "dea" | "host" | "node";
  /** One sentence for the reference. */
  readonly what: string;
}

/** One line of the table. */
export function row<P, R = never>(name: string, rest: Omit<Subject<P, R>, "name">): Subject<P, R> {
  return { name, ...rest };
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
