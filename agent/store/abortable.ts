import type { Readable } from "node:stream";

/** The bytes of a stream until `stop` is aborted, even when the stream says nothing any more. */
export async function* abortable(bytes: Readable, stop: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array | string> = bytes[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await unlessAborted(stop, () => chunks.next());
      if (done) return;
      yield typeof value === "string" ? Buffer.from(value) : value;
    }
  } finally {
    bytes.destroy();
  }
}

// Promise.race with one long-lived promise would keep every chunk that ever came until the end.
function unlessAborted<T>(stop: AbortSignal | undefined, act: () => Promise<T>): Promise<T> {
  if (!stop) return act();
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(stop.reason);
    if (stop.aborted) return onAbort();
    stop.addEventListener("abort", onAbort, { once: true });
    act()
      .then(resolve, reject)
      .finally(() => stop.removeEventListener("abort", onAbort));
  });
}
