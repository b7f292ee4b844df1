import { StoreConflict, StoreUnavailable } from "./conflict.ts";

export type NatsFault = "conflict" | "full" | "unavailable";

// Numbers of JetStream's own error list.
const conflicts = [10071, 10164];
const full = [10002, 10023, 10047, 10077];
const notNow = [10008, 10009, 10039];
const unreachable = [
  "TimeoutError",
  "NoResponders",
  "RequestError",
  "ClosedConnectionError",
  "DrainingConnectionError",
  "ConnectionError",
  "JetStreamNotEnabled",
  "JetStreamError",
];

/** What an error of the NATS client means for a store; undefined: none of its everyday troubles. */
export function faultOf(error: unknown): NatsFault | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, status } = error as Error & { code?: unknown; status?: unknown };
  if (conflicts.includes(Number(code))) return "conflict";
  if (full.includes(Number(code))) return "full";
  if (notNow.includes(Number(code)) || status === 503 || unreachable.includes(error.name)) return "unavailable";
  return undefined;
}

/** The error that users of a store know; others are passed on as they are. */
export function storeFault(key: string, error: unknown): unknown {
  if (error instanceof StoreConflict || error instanceof StoreUnavailable) return error;
  const reason = error instanceof Error ? error.message : String(error);
  switch (faultOf(error)) {
    case "conflict":
      return new StoreConflict(key, error);
    case "full":
      return new StoreUnavailable(`the store has no room: ${reason}`, { cause: error });
    case "unavailable":
      return new StoreUnavailable(`the store cannot be reached: ${reason}`, { cause: error });
    default:
      return error;
  }
}
