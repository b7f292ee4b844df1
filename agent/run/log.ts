import { destination, pino } from "pino";

/** Structured log: one JSON object a line. Messages are sentences; what varies goes into the fields. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** The same log with fields added to every line. */
  child(fields: object): Log;
}

const secretKeys = ["password", "credentials", "secret", "token", "seed", "authorization", "env", "executableUri"];

/** A log that writes to standard output or another descriptor, with values of secret-looking keys replaced. */
export function jsonLog(level: "debug" | "info" | "warn" | "error" = "info", descriptor = 1): Log {
  const paths = secretKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
  const settings = {
    level,
    base: null,
    redact: { paths, censor: "[redacted]" },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return pino(settings, destination({ dest: descriptor, sync: true }));
}

/** A log that says nothing: for tests. */
export const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
