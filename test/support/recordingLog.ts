import type { Log } from "../../agent/run/log.ts";

export interface RecordingLog extends Log {
  /** `level message {fields}`, oldest first; shared with all children. */
  readonly lines: string[];
}

/** A log that a test can read. */
export function recordingLog(lines: string[] = [], more: object = {}): RecordingLog {
  const write = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${message} ${JSON.stringify({ ...more, ...fields })}`);
  };
  const child = (fields: object) => recordingLog(lines, { ...more, ...fields });
  return { lines, debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error"), child };
}
