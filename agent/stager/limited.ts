import { watchDisk } from "./disk.ts";
import { StagingError } from "./stagingError.ts";

export interface Limits {
  /** Seconds. */
  timeout: number;
  /** MiB that `directory` may take. */
  diskLimit: number;
  directory: string;
  /** Milliseconds between two looks at the disk. */
  beat: number;
  /** Ends the work from outside. */
  stop: AbortSignal;
}

/** Runs work with a signal that is aborted, with a StagingError that says why, when it takes too long or too much. */
export async function limited<T>(limits: Limits, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { timeout, diskLimit, directory, beat, stop } = limits;
  const end = new AbortController();
  const halt = () => end.abort(stopping());
  if (stop.aborted) halt();
  stop.addEventListener("abort", halt, { once: true });
  const timer = setTimeout(() => end.abort(tooLong(timeout)), timeout * 1000);
  const onExceeded = (used: number) => end.abort(tooMuch(used, diskLimit));
  const disk = watchDisk({ directory, limit: diskLimit, interval: beat, onExceeded });
  try {
    return await work(end.signal);
  } catch (error) {
    throw end.signal.aborted ? reasonOf(end.signal, error) : error;
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", halt);
    void disk.stop();
  }
}

/** Work that is interrupted says all kinds of things; only the reason itself, with the last lines added, is worth more. */
function reasonOf({ reason }: AbortSignal, error: unknown): unknown {
  return error instanceof StagingError && error.kind === reason.kind ? error : reason;
}

export function stopping(): StagingError {
  return new StagingError("TaskError", "the stager is stopping", { hint: "push or restage again in a moment" });
}

function tooLong(timeout: number): StagingError {
  const hint = "if it needs longer, raise the stager's time limit";
  return new StagingError("StagingTimeoutError", `staging took longer than ${timeout} seconds and was ended`, { hint });
}

export function tooMuch(used: number, limit: number): StagingError {
  const hint = "leave out what is not needed (e.g. in .cfignore), or raise the stager's disk limit";
  const message = `staging takes ${used} MiB of disk, ${limit} MiB are allowed; it was ended`;
  return new StagingError("DropletCreationError", message, { hint });
}
