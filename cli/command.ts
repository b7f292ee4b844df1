import type { Call } from "./call.ts";

/** Headings of the help, in order. */
export const groups = ["Apps", "Look inside", "Cluster", "This machine"] as const;
export type Group = (typeof groups)[number];

/** An option in commander's notation: `-i, --instances <n>`, `--no-start`, `--force`. */
export interface OptionRow {
  flags: string;
  summary: string;
  /** Other long names for it, which the help does not show: `["--mem"]`. */
  also?: readonly string[];
  /** May be given several times; the values are collected. */
  many?: boolean;
  choices?: readonly string[];
}

/** What a command does. Resolves to the exit code, or to nothing, which is 0; throws a Fault (or any error with code and hint). */
export type Action = (call: Call) => Promise<number> | Promise<void>;

/** A row of the table of commands: all that the help needs, and how to get at the rest. */
export interface Command {
  name: string;
  summary: string;
  /** Without the program's name: `scale hello -i 3`. */
  example: string;
  /** Heading of the help; only rows at the top have one. */
  group?: Group;
  /** Positional arguments in commander's notation: `<app> [path]`. */
  arguments?: string;
  options?: readonly OptionRow[];
  aliases?: readonly string[];
  /** Words for `--help` of this command alone, after the options. */
  notes?: string;
  /** Imports the file that does the work: only when the command really runs, for the sake of the start's time. */
  load?: () => Promise<Action>;
  /** Commands below this one: `node list`. */
  commands?: readonly Command[];
  /** Imports the full row when the word stands on the command line; what stands here is for the list of all commands. */
  more?: () => Promise<Command>;
}
