import type { z } from "zod";
import type { Authority } from "../../pki/authority.ts";
import type { Bus } from "../bus/bus.ts";
import type { Log } from "../run/log.ts";
import { StoreConflict } from "../store/conflict.ts";
import { type Bucket, bucket, type Store } from "../store/store.ts";
import type { Cluster } from "./cluster.ts";
import { memberRecord, wishRecord } from "./members.ts";
import type { Pulse } from "./pulse.ts";
import type { Roster } from "./roster.ts";

/** What is needed to decide about nodes. */
export interface OfficeOptions {
  bus: Bus;
  store: Store;
  authority: Authority;
  cluster: Cluster;
  roster: Roster;
  pulse: Pulse;
  /** Resolves when the server lets nodes speak as they should now. */
  settled: () => Promise<void>;
  /** Public keys of the users that are no nodes. */
  reserved: ReadonlySet<string>;
  /** Milliseconds. */
  beat: number;
  log: Log;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Where it is written down. */
export function records(store: Store) {
  return { members: bucket(store, "members", memberRecord), wishes: bucket(store, "nodes", wishRecord) };
}

/** A node that nobody has told otherwise is what it was born as. */
export async function born(
  wishes: Bucket<z.output<typeof wishRecord>>,
  node: string,
  roles: readonly string[],
): Promise<void> {
  try {
    await wishes.create(node, { roles: [...roles] });
  } catch (error) {
    if (!(error instanceof StoreConflict)) throw error;
  }
}
