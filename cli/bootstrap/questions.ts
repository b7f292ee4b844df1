import { describe, type HostKey } from "../../bootstrap/hostKey.ts";
import type { BootstrapOptions, Progress } from "../../bootstrap/options.ts";
import type { Target } from "../../bootstrap/target.ts";
import type { Io } from "../io.ts";
import { ask } from "../prompt.ts";

/** Asks about host keys, one at a time; undefined where nobody sits. */
export function asker(io: Io): BootstrapOptions["ask"] {
  if (!io.stdin.isTTY || io.json) return undefined;
  let turn: Promise<unknown> = Promise.resolve();
  return (target, shown) => {
    const answer = turn.then(() => isRight(io, target, shown));
    turn = answer.catch(() => {});
    return answer;
  };
}

async function isRight(io: Io, { name, host }: Target, shown: HostKey): Promise<boolean> {
  io.note(`${name} (${host}) shows a host key that nobody has told of before: ${describe(shown)}`);
  const said = await ask(io, "Is it the machine's own? Type yes, or the fingerprint to compare: ");
  return said === "yes" || said === shown.fingerprint;
}

/** What is waited for, a line each time it changes. */
export function teller(io: Io, nodes: number): (progress: Progress) => void {
  const marks = { waiting: io.paint("dim", "…"), done: io.paint("green", "✓"), failed: io.paint("red", "✗") };
  return ({ node, state, text }) => {
    // Where there is one node only, its failure is the error that ends everything.
    if (state !== "failed" || nodes > 1) io.note(`${marks[state]} ${node}: ${text}`);
  };
}
