export interface QueueOptions {
  /** How many run at once. */
  slots: number;
  /** How many may wait. */
  limit: number;
}

/** Work in order of arrival, so many at once. Work must not reject. */
export interface Queue<T> {
  readonly running: number;
  readonly waiting: number;
  /** False when nothing more may wait. */
  add(item: T): boolean;
  /** Takes no more, and gives back what still waits. */
  close(): T[];
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
}

export function queue<T>({ slots, limit }: QueueOptions, work: (item: T) => Promise<void>): Queue<T> {
  const waiting: T[] = [];
  const running = new Set<Promise<void>>();
  let closed = false;
  const next = () => {
    while (running.size < slots) {
      const item = waiting.shift();
      if (item === undefined) return;
      const one = work(item).finally(() => {
        running.delete(one);
        next();
      });
      running.add(one);
    }
  };
  return {
    get running() {
      return running.size;
    },
    get waiting() {
      return waiting.length;
    },
    add(item) {
      if (closed || (running.size >= slots && waiting.length >= limit)) return false;
      waiting.push(item);
      next();
      return true;
    },
    close() {
      closed = true;
      return waiting.splice(0);
    },
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
