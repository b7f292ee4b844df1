import type { NatsConnection, Status } from "@nats-io/transport-node";
import type { Log } from "../run/log.ts";

export interface ConnectionState {
  readonly connected: boolean;
  /** Told of each loss and return. Returns the way to unsubscribe. */
  watch(listener: (connected: boolean) => void): () => void;
}

/** Follows a connection's own reports until it is closed. */
export function connectionState(connection: NatsConnection, log: Log): ConnectionState {
  const listeners = new Set<(connected: boolean) => void>();
  let connected = true;
  const become = (value: boolean) => {
    if (value === connected) return;
    connected = value;
    for (const listener of [...listeners]) tell(listener, value, log);
  };
  // Each try to come back may end in the same way: that is said once.
  let said = new Set<string>();
  const follow = async () => {
    for await (const status of connection.status()) {
      const what = status.type === "error" ? status.error.message : status.type;
      if (connected || !said.has(what)) report(status, log);
      said = status.type === "reconnect" ? new Set() : said.add(what);
      if (status.type === "disconnect") become(false);
      if (status.type === "reconnect") become(true);
    }
  };
  void follow();
  return {
    get connected() {
      return connected && !connection.isClosed();
    },
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function tell(listener: (connected: boolean) => void, connected: boolean, log: Log) {
  try {
    listener(connected);
  } catch (error) {
    log.error({ connected, error: String(error) }, "a listener to the connection failed");
  }
}

function report(status: Status, log: Log) {
  if (status.type === "disconnect") log.warn({ server: status.server }, "the bus is away");
  if (status.type === "reconnect") log.info({ server: status.server }, "the bus is back");
  if (status.type === "error") log.error({ error: status.error.message }, "the bus refused something");
  if (status.type === "slowConsumer")
    log.warn(
      { subject: status.sub.getSubject(), pending: status.pending },
      "a slow consumer: messages wait to be handled",
    );
  if (status.type === "staleConnection") log.warn({}, "the bus no longer answers");
}
