/** What an error of ours carries beside its message. */
export interface FaultOptions {
  /** A stable word for programs, e.g. `port_in_use`. */
  code: string;
  /** The next thing the person can do. */
  hint?: string;
  cause?: unknown;
}

/** An error that a person can act on: printed once, at the edge, with its hint. Kinds extend it. */
export class Fault extends Error {
  override name = "Fault";
  readonly code: string;
  readonly hint: string | undefined;
  constructor(message: string, { code, hint, cause }: FaultOptions) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
  }
}
