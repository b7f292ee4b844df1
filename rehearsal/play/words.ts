// What the process in the room tells the command outside: one JSON object a line.

/** Everything that the room needs to know; a file of the rehearsal's folder, readable by its owner alone. */
export interface RehearsalPlan {
  /** Path of the `cluster.yaml`. */
  readonly spec: string;
  /** Directory of this rehearsal: machines, state, logs. */
  readonly folder: string;
  /** Path of the disk image that machines boot from. */
  readonly image: string;
  /** Path of the agent bundle. */
  readonly bundle: string;
  /** Directory of the app that is pushed. */
  readonly app: string;
  readonly email: string;
  readonly keep: boolean;
}

/** A step that is done. */
export interface Step {
  readonly name: string;
  readonly seconds: number;
  readonly detail?: string;
}

/** What there is to look at while the rehearsal stands. */
export interface Stage {
  readonly url: string;
  readonly api: string;
  readonly status: number;
  readonly email: string;
  readonly nodes: readonly StageNode[];
}

export interface StageNode {
  readonly id: string;
  readonly instance: string;
  readonly roles: readonly string[];
  readonly publicAddress: string;
  /** From the API's word that the instance runs to the end of its boot script, which waits for the agent. */
  readonly bootSeconds?: number;
}

export type Word =
  | { readonly kind: "step"; readonly step: Step }
  | { readonly kind: "note"; readonly line: string }
  | { readonly kind: "stage"; readonly stage: Stage }
  | { readonly kind: "fault"; readonly message: string; readonly code: string; readonly hint?: string };

export function wordLine(word: Word): string {
  return `${JSON.stringify(word)}\n`;
}

/** A line → what it says; undefined for one that is nobody's word, such as a warning of the runtime's. */
export function readWord(line: string): Word | undefined {
  try {
    const word = JSON.parse(line) as Word;
    return typeof word?.kind === "string" ? word : undefined;
  } catch {
    return undefined;
  }
}
