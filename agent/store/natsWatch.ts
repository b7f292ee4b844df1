import type { DeliverPolicy, JetStreamClient, JsMsg, PushConsumer } from "@nats-io/jetstream";
import type { Change, Entry } from "./store.ts";

/** Where the entries of a store travel. */
export interface Place {
  js: JetStreamClient;
  bucket: string;
  /** Beginning of the keys. */
  prefix: string;
}

export interface Following {
  onChange: (change: Change) => void;
  /** Everything that stood at the beginning has been told. */
  onCurrent: () => void;
  onEnd: () => void;
}

// Milliseconds between two looks whether the one who tells is still there.
const look = 2000;

/** Tells the last value of every key under the prefix and then each change. Resolves to the way to end it. */
export async function follow(place: Place, { onChange, onCurrent, onEnd }: Following): Promise<() => void> {
  const { bucket, prefix, js } = place;
  const consumer = await js.consumers.getPushConsumer(`KV_${bucket}`, {
    filter_subjects: `$KV.${bucket}.${filterOf(prefix)}`,
    deliver_policy: "last_per_subject" as typeof DeliverPolicy.LastPerSubject,
  });
  let left = (await consumer.info(true)).num_pending;
  const messages = await consumer.consume({
    callback: (message) => {
      const change = changeOf(message, bucket);
      if (change.key.startsWith(prefix)) onChange(change);
      if (left > 0 && (--left === 0 || message.info.pending === 0)) {
        left = 0;
        onCurrent();
      }
    },
  });
  const unwatch = watchful(consumer, () => messages.stop());
  messages.closed().finally(unwatch).then(onEnd, onEnd);
  if (left === 0) onCurrent();
  return () => {
    unwatch();
    messages.stop();
    forget(consumer);
  };
}

/**
 * Among several servers the one that tells may be lost while we stay connected to another: the client would take a
 * minute to miss it. Returns the way to look no more.
 */
function watchful(consumer: PushConsumer, onLost: () => void): () => void {
  const timer = setInterval(() => void consumer.info().catch(onLost), look);
  consumer.info(true).then(
    ({ cluster }) => cluster?.leader === undefined && clearInterval(timer),
    () => {},
  );
  return () => clearInterval(timer);
}

/** All entries under the prefix as they stand now. Rejects when the server goes away meanwhile or takes longer than `timeout` ms. */
export async function snapshot(place: Place, timeout: number): Promise<Entry[]> {
  const entries = new Map<string, Entry>();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => {});
  const end = await follow(place, {
    onChange: ({ key, value, revision }) => {
      if (value === undefined) entries.delete(key);
      else entries.set(key, { key, value, revision });
    },
    onCurrent: resolve,
    onEnd: () => reject(timedOut("the server went away")),
  });
  const timer = setTimeout(() => reject(timedOut("the server took too long")), timeout);
  try {
    await promise;
    return [...entries.values()];
  } finally {
    clearTimeout(timer);
    end();
  }
}

// The server forgets it by itself after a while: whether it heard us does not matter.
function forget(consumer: PushConsumer) {
  consumer.delete().catch(() => {});
}

function changeOf(message: JsMsg, bucket: string): Change {
  const gone = message.headers?.has("KV-Operation") || message.headers?.has("Nats-Marker-Reason");
  return {
    key: message.subject.slice(`$KV.${bucket}.`.length),
    value: gone ? undefined : message.json(),
    revision: message.seq,
  };
}

// Subjects are filtered by whole tokens; the rest of the prefix is compared by us.
function filterOf(prefix: string): string {
  return `${prefix.slice(0, prefix.lastIndexOf(".") + 1)}>`;
}

function timedOut(message: string): Error {
  return Object.assign(new Error(message), { name: "TimeoutError" });
}
