/** A message as the recorder keeps it. */
export interface Recorded {
  /** Unix milliseconds. */
  at: number;
  subject: string;
  /** A sentence that a person can read. */
  what: string;
  /** Component id of the speaker, where the message tells it. */
  from?: string;
  /** The ids of apps and processes it is about. */
  ids: readonly string[];
}

export interface RingLimits {
  messages: number;
  /** Milliseconds. */
  age: number;
}

export interface Ring {
  add(message: Recorded): void;
  /** What is about any of these ids, oldest first. */
  about(ids: ReadonlySet<string>, now: number): Recorded[];
  readonly size: number;
}

/** The last messages, bounded in number and in age. */
export function ring({ messages, age }: RingLimits): Ring {
  const slots: Recorded[] = [];
  let next = 0;
  const inOrder = () => [...slots.slice(next), ...slots.slice(0, next)];
  return {
    add(message) {
      slots[next] = message;
      next = (next + 1) % messages;
    },
    about: (ids, now) =>
      inOrder().filter((message) => now - message.at <= age && message.ids.some((id) => ids.has(id))),
    get size() {
      return slots.length;
    },
  };
}
