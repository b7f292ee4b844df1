import type { NatsConnection } from "@nats-io/transport-node";
import { follow, type Place } from "./natsWatch.ts";
import type { Change, Watching } from "./store.ts";

export interface StoreWatchOptions {
  connection: NatsConnection;
  /** Resolves to where the entries are when the store is there. */
  place: () => Promise<Place>;
  onChange: (change: Change) => void;
  onError: (error: unknown) => void;
}

const retry = 200;

/**
 * A watch that outlives the server: after each return it reads what stands, and tells the difference to what it told
 * before. The client's own watch would notice a restarted server only after missing heartbeats for many seconds.
 */
export function storeWatch(options: StoreWatchOptions): Watching {
  const { promise: current, resolve } = Promise.withResolvers<void>();
  const told = telling(options);
  let end = () => {};
  const begin = () => {
    end();
    end = round(options, told, { onCurrent: resolve, onEnd: begin });
  };
  const unfollow = eachReturn(options.connection, begin);
  begin();
  return {
    current,
    stop() {
      unfollow();
      end();
      resolve();
    },
  };
}

interface Told {
  known: ReadonlyMap<string, number>;
  tell(change: Change): void;
}

function telling({ onChange, onError }: StoreWatchOptions): Told {
  const known = new Map<string, number>();
  const isNews = ({ key, value, revision }: Change) => {
    if (value === undefined) return known.delete(key);
    return known.get(key) !== revision && Boolean(known.set(key, revision));
  };
  const tell = (change: Change) => {
    if (!isNews(change)) return;
    try {
      onChange(change);
    } catch (error) {
      onError(error);
    }
  };
  return { known, tell };
}

/** One reading of what stands and of what follows, until it is ended or ends by itself. Returns the way to end it. */
function round(
  { place }: StoreWatchOptions,
  { known, tell }: Told,
  { onCurrent, onEnd }: { onCurrent: () => void; onEnd: () => void },
): () => void {
  const unseen = new Set(known.keys());
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  let stop = () => {};
  const again = () => {
    if (!over) timer = setTimeout(onEnd, retry);
  };
  const run = async () => {
    const onChange = (change: Change) => {
      unseen.delete(change.key);
      if (!over) tell(change);
    };
    const whenCurrent = () => {
      if (over) return;
      for (const key of unseen) tell({ key, value: undefined, revision: known.get(key) ?? 0 });
      onCurrent();
    };
    stop = await follow(await place(), { onChange, onCurrent: whenCurrent, onEnd: again });
    if (over) stop();
  };
  run().catch(again);
  return () => {
    over = true;
    clearTimeout(timer);
    stop();
  };
}

function eachReturn(connection: NatsConnection, act: () => void): () => void {
  const status = connection.status() as ReturnType<NatsConnection["status"]> & { stop(): void };
  const run = async () => {
    for await (const { type } of status) if (type === "reconnect") act();
  };
  void run();
  return () => status.stop();
}
