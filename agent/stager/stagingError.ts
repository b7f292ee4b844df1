import { Fault } from "../run/fault.ts";

/** The classes of the stager of 2012, without their prefix. */
export type StagingClass =
  | "TaskError"
  | "AppDownloadError"
  | "AppUnzipError"
  | "StagingPluginError"
  | "StagingTimeoutError"
  | "DropletCreationError"
  | "DropletUploadError"
  | "InternalError";

/** A staging that failed, as its requester is told. `lines` are the last ones of the output. */
export class StagingError extends Fault {
  override name = "StagingError";
  readonly kind: StagingClass;
  readonly lines: readonly string[];
  constructor(
    kind: StagingClass,
    message: string,
    more: { hint?: string; lines?: readonly string[]; cause?: unknown } = {},
  ) {
    super(message, { code: kind, ...more });
    this.kind = kind;
    this.lines = more.lines ?? [];
  }
}

/** Runs one phase of a staging: what it throws becomes a StagingError of that kind, unless it is one already. */
export async function phase<T>(kind: StagingClass, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof StagingError) throw cause;
    const { hint } = cause as { hint?: string };
    throw new StagingError(kind, `${what}${why(cause)}`, { hint, cause });
  }
}

function why(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // fetch says only "fetch failed"; the reason is its cause.
  return error.cause instanceof Error && !(error instanceof Fault)
    ? `${error.message}: ${error.cause.message || (error.cause as NodeJS.ErrnoException).code}`
    : error.message;
}

/** The sentence for people: what, and what to do. */
export function summary({ message, hint }: StagingError): string {
  return hint ? `${message}; ${hint}` : message;
}

/** The summary with the last lines of the output. */
export function details(error: StagingError): string {
  const lines = error.lines.length > 0 ? `\nThe last lines of the output:\n${error.lines.join("\n")}` : "";
  return summary(error) + lines;
}

/** The `error` field of a staging result: JSON in a string. */
export function errorText(error: StagingError): string {
  return JSON.stringify({ class: `VCAP::Stager::${error.kind}`, details: details(error) });
}
