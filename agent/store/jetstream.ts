import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Log } from "../run/log.ts";
import { StoreConflict } from "./conflict.ts";
import { lazy } from "./lazy.ts";
import { faultOf, storeFault } from "./natsFaults.ts";
import { reachable } from "./natsReach.ts";
import { storeWatch } from "./natsStoreWatch.ts";
import { snapshot } from "./natsWatch.ts";
import type { Store } from "./store.ts";

export interface JetstreamStoreOptions {
  /** Copies on so many servers; only at creation. */
  replicas?: number;
  /** Milliseconds to wait for the server's word. */
  timeout?: number;
  /** How long the trace of a deleted key stays: longer than any watcher is away. A Go duration. */
  tombstones?: string;
  log?: Log;
}

const bucket = "tutti";

/** The cluster's memory in one JetStream key-value bucket. May be made before the server has JetStream ready. */
export function jetstreamStore(connection: NatsConnection, options: JetstreamStoreOptions = {}): Store {
  const { replicas = 1, timeout = 5000, tombstones = "24h", log } = options;
  const js = client(connection, timeout);
  const open = lazy(() =>
    // Reads go through the leader: a copy may be behind, and whoever reads wants to see what was just written.
    new Kvm(js).create(bucket, { replicas, history: 1, allow_direct: false, markerTTL: 3_600_000 }),
  );
  const within = async <T>(key: string, act: (kv: KV) => Promise<T>): Promise<T> => {
    try {
      await reachable(connection, timeout);
      return await act(await open());
    } catch (error) {
      throw storeFault(key, error);
    }
  };
  return {
    get: (key) =>
      within(key, async (kv) => {
        const entry = await kv.get(key);
        return entry?.operation === "PUT" ? { key, value: entry.json(), revision: entry.revision } : undefined;
      }),
    put: (key, value) => within(key, (kv) => kv.put(key, JSON.stringify(value))),
    compareAndSet: (key, value, revision) =>
      within(key, (kv) => {
        const text = JSON.stringify(value);
        return revision === 0 ? kv.create(key, text) : kv.update(key, text, revision);
      }),
    delete: (key, revision) =>
      within(key, async (kv) => {
        const entry = await kv.get(key);
        const found = entry?.operation === "PUT" ? entry.revision : 0;
        if (revision !== undefined && revision !== found) throw new StoreConflict(key);
        const condition = revision === undefined ? {} : { previousSeq: revision };
        if (found > 0) await kv.purge(key, { ttl: tombstones, ...condition });
      }),
    list: (prefix) => within(prefix, () => snapshot({ js, bucket, prefix }, timeout)),
    watch: (prefix, onChange) =>
      storeWatch({
        connection,
        place: () => open().then(() => ({ js, bucket, prefix })),
        onChange,
        onError: (error) => log?.error({ prefix, error: String(error) }, "a watcher of the store failed"),
      }),
  };
}

/** JetStream for what is built on it; `timeout` ms for each answer. */
export function client(connection: NatsConnection, timeout: number): JetStreamClient {
  return jetstream(connection, { timeout });
}

/** The administrator's view of JetStream; `timeout` ms for each answer. */
export function manager(connection: NatsConnection, timeout: number): Promise<JetStreamManager> {
  return jetstreamManager(connection, { timeout });
}

/** Whether the server's JetStream answers. */
export async function jetstreamAnswers(connection: NatsConnection): Promise<boolean> {
  try {
    await manager(connection, 1000);
    return true;
  } catch (error) {
    if (faultOf(error) === "unavailable") return false;
    throw error;
  }
}
