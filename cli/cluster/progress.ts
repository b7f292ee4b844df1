import type { Change, Deed, Told } from "../../infra/run/events.ts";
import { type Io, painter, wantsColour } from "../io.ts";
import { liveLine } from "../live.ts";
import { span } from "../show.ts";
import { shortName, wordFor } from "./names.ts";

/** Which cluster and stack the names belong to. */
export interface Whose {
  readonly cluster: string;
  readonly stack: string;
}

/** A change as JSON has it. */
export interface ChangeRow {
  readonly deed: Deed;
  /** In a person's words: `machine`. */
  readonly kind: string;
  readonly name: string;
  /** The engine's type token. */
  readonly type: string;
  readonly properties: readonly string[];
}

export function rowOf({ deed, type, name, properties }: Change, { cluster, stack }: Whose): ChangeRow {
  return { deed, kind: wordFor(type), name: shortName(name, cluster, stack), type, properties };
}

const done: Readonly<Record<Deed, string>> = {
  create: "created",
  adopt: "taken in",
  change: "changed",
  replace: "made anew",
  delete: "deleted",
};

export interface ProgressOptions {
  readonly words?: Readonly<Record<Deed, string>> | undefined;
  /** How many resources will be worked on, where it is known. */
  readonly total?: number | undefined;
  /** Resources are not told of: nothing is done to them. */
  readonly quiet?: boolean;
}

export interface Progress {
  told(told: Told): void;
  /** Another line, in between. */
  note(line: string): void;
  end(): void;
}

/** Prints each resource as it is done or fails, with the time it took; on a terminal below it how far all of it is. */
export function progress(io: Io, whose: Whose, { words = done, total, quiet }: ProgressOptions = {}): Progress {
  const line = liveLine(io);
  line.show(() => (quiet ? "looking at what would be done" : "starting the engine"));
  const tally = { done: 0, total, began: new Map<string, Begun>() };
  // The lines are on standard error, which may be a file where standard output is a terminal.
  const paint = painter(wantsColour(io.stderr, io.env));
  const told = (told: Told) => {
    if (quiet || (told.kind !== "begun" && told.kind !== "done" && told.kind !== "failed")) return;
    const { urn } = told.change;
    const row = rowOf(told.change, whose);
    const now = performance.now();
    const { since } = tally.began.get(urn) ?? { since: now };
    if (told.kind === "begun") tally.began.set(urn, { name: `${row.kind} ${row.name}`, since });
    else tally.began.delete(urn);
    if (told.kind === "done") tally.done++;
    line.show(() => tallyText(tally, performance.now()));
    if (told.kind === "begun") return;
    const good = told.kind === "done";
    const mark = good ? paint("green", "✓") : paint("red", "✗");
    const time = paint("dim", `${((now - since) / 1000).toFixed(2).padStart(6)} s`);
    const what = `${good ? "" : "not "}${words[row.deed]}`;
    const detail = row.deed === "change" && row.properties.length > 0 ? `: ${row.properties.join(", ")}` : "";
    line.note(`${mark} ${`${row.kind} ${row.name}`.padEnd(40)} ${time}  ${what}${detail}`);
  };
  return { told, note: line.note, end: line.end };
}

interface Begun {
  readonly name: string;
  /** Milliseconds of the process's clock. */
  readonly since: number;
}

export interface Tally {
  readonly done: number;
  readonly total: number | undefined;
  /** What is under way, the oldest first. */
  readonly began: ReadonlyMap<string, Begun>;
}

/** `12/40  4 under way  longest: machine lead-0, 14s`. Pure. */
export function tallyText({ done, total, began }: Tally, now: number): string {
  // A replacement is one change in a plan and several while it is carried out: the end is never past the whole.
  const far = total === undefined ? `${done} done` : `${done}/${Math.max(total, done + began.size)}`;
  const [oldest] = [...began.values()].sort((one, other) => one.since - other.since);
  if (!oldest) return far;
  return `${far}  ${began.size} under way  longest: ${oldest.name}, ${span((now - oldest.since) / 1000)}`;
}

/** For a refresh, which looks and touches nothing. */
export const seen: Readonly<Record<Deed, string>> = {
  ...done,
  change: "is different",
  delete: "is not there any more",
};

const marks: Readonly<Record<Deed, string>> = { create: "+", adopt: "+", change: "~", replace: "±", delete: "-" };
const would: Readonly<Record<Deed, string>> = {
  create: "create",
  adopt: "take in",
  change: "change",
  replace: "make anew",
  delete: "delete",
};

/** What a preview has found: one line for each kind of thing and what would become of it, machines first. */
export function planLines(rows: readonly ChangeRow[]): string[] {
  const groups = Map.groupBy(rows, ({ deed, kind }) => `${deed} ${kind}`);
  const ordered = [...groups.values()].sort((one, other) => rank(other) - rank(one));
  return ordered.map((same) => {
    const [{ deed, kind } = { deed: "change", kind: "" } as ChangeRow] = same;
    const names = same.map(({ name, properties }) =>
      deed === "change" && properties.length > 0 ? `${name} (${properties.join(", ")})` : name,
    );
    const count = same.length > 1 ? ` × ${same.length}` : "";
    return `  ${marks[deed]} ${would[deed].padEnd(9)} ${`${kind}${count}`.padEnd(28)} ${listed(names)}`;
  });
}

const rank = ([first]: readonly ChangeRow[]): number => (first?.kind === "machine" ? 1 : 0);

/** A list of twenty nodes is no line that anybody reads. */
function listed(names: readonly string[]): string {
  const few = names.length > 6 ? [...names.slice(0, 5), `and ${names.length - 5} more`] : names;
  return few.join(", ");
}
