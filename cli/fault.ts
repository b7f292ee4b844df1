/** Exit codes of the command. Nothing else is ever returned, except 128 + n after a signal. */
export const exits = { done: 0, failed: 1, changes: 2, usage: 64 } as const;

interface FaultOptions {
  /** A stable word for programs, e.g. `not_logged_in`. */
  code: string;
  /** The next thing the person can do. */
  hint?: string | undefined;
  cause?: unknown;
  exit?: number;
  /** What else `--json` tells beside the error: what was found before it came to that. */
  details?: object | undefined;
}

/** An error that a person can act on. Thrown anywhere, printed once, in main.ts. */
export class Fault extends Error {
  override name = "Fault";
  readonly code: string;
  readonly hint: string | undefined;
  readonly exit: number;
  readonly details: object | undefined;
  constructor(message: string, { code, hint, cause, exit = exits.failed, details }: FaultOptions) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
    this.exit = exit;
    this.details = details;
  }
}

/** The command line itself is wrong: exit code 64. */
export function wrongUsage(message: string, hint?: string): Fault {
  return new Fault(message, { code: "usage", hint, exit: exits.usage });
}
