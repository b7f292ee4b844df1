import type { NatsConnection } from "@nats-io/transport-node";
import { manager } from "./jetstream.ts";

export interface Recopied {
  readonly stream: string;
  readonly from: number;
}

const streams = ["KV_tutti", "OBJ_blobs"];

/**
 * Sees to it that what was made with another number of copies gets as many as it should have. Resolves to what was
 * changed; rejects while the store cannot be reached or there are not enough servers.
 */
export async function keepCopies(connection: NatsConnection, replicas: number): Promise<Recopied[]> {
  const jsm = await manager(connection, 5000);
  const changed: Recopied[] = [];
  for await (const { config } of jsm.streams.list()) {
    if (!streams.includes(config.name) || config.num_replicas === replicas) continue;
    await jsm.streams.update(config.name, { num_replicas: replicas });
    changed.push({ stream: config.name, from: config.num_replicas });
  }
  return changed;
}
