import type { Change, Deed, Told } from "../../infra/run/events.ts";

import type { Io } from "../io.ts";
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

/** Prints each resource as it is done or fails, with the time it took. */
export function progress(io: Io, whose: Whose, words = done): (told: Told) => void {
  const began = new Map<string, number>();
  return (told) => {
    if (told.kind === "begun") began.set(told.change.urn, performance.now());
    if (told.kind !== "done" && told.kind !== "failed") return;
    const now = performance.now();
    const seconds = (now - (began.get(told.change.urn) ?? now)) / 1000;
    const { kind, name, deed, properties } = rowOf(told.change, whose);
    const mark = told.kind === "done" ? io.paint("green", "✓") : io.paint("red", "✗");
    const what = told.kind === "done" ? words[deed] : `not ${words[deed]}`;
    const detail = deed === "change" && properties.length > 0 ? `: ${properties.join(", ")}` : "";
    const time = io.paint("dim", `${seconds.toFixed(2).padStart(6)} s`);
    io.note(`${mark} ${`${kind} ${name}`.padEnd(40)} ${time}  ${what}${detail}`);
  };
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
