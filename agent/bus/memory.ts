import type { Bus, GatherOptions, Message, PublishOptions, RequestOptions, Subscription } from "./bus.ts";
import { decode, encode } from "./codec.ts";
import { pattern, type Subject } from "./subject.ts";

type Deliver = (subject: string, text: string, reply: string | undefined) => void;
type Send = (...message: Parameters<Deliver>) => boolean;
interface Listener {
  matches: (subject: string) => boolean;
  queue: string | undefined;
  deliver: Deliver;
}

/** A bus inside one process: what `nats.ts` is on many machines. Each component joins with its own `join()`. */
export interface MemoryNet {
  join(onProblem?: (problem: string) => void): Bus & { disconnect(): void; reconnect(): void };
}

export function memoryNet(): MemoryNet {
  const listeners = new Set<Listener>();
  let turn = 0;
  // Tells whether anybody listens: a server says so to whoever asks where nobody does.
  const send: Send = (subject, text, reply) => {
    const hit = [...listeners].filter((one) => one.matches(subject));
    const queues = Map.groupBy(hit, (one) => one.queue);
    const chosen = [...(queues.get(undefined) ?? [])];
    turn++;
    for (const [queue, members] of queues) {
      const one = members[turn % members.length];
      if (queue !== undefined && one) chosen.push(one);
    }
    for (const one of chosen) queueMicrotask(() => listeners.has(one) && one.deliver(subject, text, reply));
    return chosen.length > 0;
  };
  return { join: (onProblem = () => {}) => memoryBus(listeners, send, onProblem) };
}

function memoryBus(listeners: Set<Listener>, send: Send, onProblem: (problem: string) => void) {
  const mine = new Set<Listener>();
  const watchers = new Set<(connected: boolean) => void>();
  let connected = true;
  let closed = false;
  let inboxes = 0;
  const say = (subject: string, text: string, reply?: string) => {
    return connected && !closed ? send(subject, text, reply) : true;
  };
  const hear = (subject: string, queue: string | undefined, deliver: Deliver): Subscription => {
    const one: Listener = {
      matches: matcher(subject),
      queue,
      deliver: (...message) => connected && deliver(...message),
    };
    mine.add(one);
    listeners.add(one);
    return {
      stop: () => {
        mine.delete(one);
        listeners.delete(one);
      },
    };
  };
  const set = (value: boolean) => {
    if (connected === value) return;
    connected = value;
    for (const watcher of watchers) watcher(value);
  };
  async function gather<P, R>(subject: Subject<P, R>, payload: P, options: GatherOptions): Promise<R[]> {
    if (options.expected === 0) return [];
    const text = encode(subject.payload, payload);
    const answers: R[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const inbox = `_INBOX.${Math.random().toString(36).slice(2)}.${inboxes++}`;
    const heard = hear(inbox, undefined, (_subject, answer) => {
      if (answers.length === options.expected) return;
      try {
        if (subject.reply) answers.push(decode(subject.reply, answer));
      } catch (error) {
        onProblem(`${subject.name}: ${error}`);
      }
      if (answers.length === options.expected) resolve();
    });
    const timer = setTimeout(resolve, options.timeout);
    if (!say(subject.name, text, inbox)) resolve();
    await promise;
    clearTimeout(timer);
    heard.stop();
    return answers;
  }
  return {
    publish<P, R>(subject: Subject<P, R>, payload: P, options: PublishOptions = {}) {
      say(subject.name, encode(subject.payload, payload), options.reply);
    },
    subscribe<P, R>(
      subject: Subject<P, R>,
      handler: (payload: P, message: Message<R>) => unknown,
      options: { queue?: string } = {},
    ) {
      return hear(pattern(subject), options.queue ?? subject.queue, async (name, text, reply) => {
        try {
          const answer = (value: R) => subject.reply && reply && say(reply, encode(subject.reply, value));
          await handler(decode(subject.payload, text), { subject: name, wantsReply: Boolean(reply), reply: answer });
        } catch (error) {
          onProblem(`${name}: ${error}`);
        }
      });
    },
    async request<P, R>(subject: Subject<P, R>, payload: P, options: RequestOptions) {
      return (await gather(subject, payload, { ...options, expected: 1 }))[0];
    },
    gather,
    async flush() {
      await new Promise((resolve) => setImmediate(resolve));
    },
    get connected() {
      return connected && !closed;
    },
    onConnection(listener: (connected: boolean) => void) {
      watchers.add(listener);
      return () => watchers.delete(listener);
    },
    async close() {
      closed = true;
      for (const one of mine) listeners.delete(one);
    },
    disconnect: () => set(false),
    reconnect: () => set(true),
  };
}

function matcher(subject: string): (name: string) => boolean {
  const tokens = subject.split(".");
  return (name) => {
    const parts = name.split(".");
    if (tokens.at(-1) === ">") return parts.length >= tokens.length && tokens.slice(0, -1).every(match(parts));
    return parts.length === tokens.length && tokens.every(match(parts));
  };
}

const match = (parts: string[]) => (token: string, i: number) => token === "*" || token === parts[i];
