import type { NatsConnection } from "@nats-io/transport-node";
import { StoreUnavailable } from "./conflict.ts";

const turn = 25;

/**
 * Waits up to `timeout` ms for a connection that is being made again: a server that is restarted is hardly noticed.
 * What is asked before it is back would only be lost. Rejects with StoreUnavailable.
 */
export async function reachable(connection: NatsConnection, timeout: number): Promise<void> {
  const end = performance.now() + timeout;
  while (!connection.isClosed()) {
    if (connection.info) return;
    if (performance.now() > end) break;
    await new Promise((resolve) => setTimeout(resolve, turn));
  }
  throw new StoreUnavailable("the store cannot be reached: there is no connection to it");
}
