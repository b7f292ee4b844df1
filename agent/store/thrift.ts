import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes of buffers that may come on top before the young ones are looked through. */
const pile = 8 * 1024 ** 2;
/** Milliseconds. A fast disk brings about as much as the pile in this time. */
const interval = 10;

const collect = young();

/**
 * Keeps memory small while many bytes stream through this process. The engine lets go of buffers late: it looks through
 * young ones when tens of MiB have come, and through those it happened to meet in use only after 64 MiB more. Looking
 * every few MiB finds nearly all of them dead and young, which takes about 2 ms. Returns what ends it.
 */
export function thrift(): () => void {
  let before = process.memoryUsage().external;
  const timer = setInterval(() => {
    const now = process.memoryUsage().external;
    if (now - before > pile) collect();
    before = now - before > pile ? process.memoryUsage().external : Math.min(before, now);
  }, interval);
  timer.unref();
  return () => clearInterval(timer);
}

/** The same, for as long as the work takes. */
export async function thriftily<T>(work: () => Promise<T>): Promise<T> {
  const end = thrift();
  try {
    return await work();
  } finally {
    end();
  }
}

function young(): () => void {
  // The collector is shown to new contexts only: no other code of this process gets to see it.
  setFlagsFromString("--expose-gc");
  const gc: (options: { type: "minor" }) => void = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  return () => gc({ type: "minor" });
}
