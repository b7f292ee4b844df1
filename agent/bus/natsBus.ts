import type { Msg, NatsConnection } from "@nats-io/transport-node";
import type { Log } from "../run/log.ts";
import { isForAnswers } from "./answers.ts";
import type { Bus, GatherOptions, Message, PublishOptions, RequestOptions, Subscription } from "./bus.ts";
import { decode, encode } from "./codec.ts";
import { byName } from "./memberPermissions.ts";
import { connectionState } from "./natsState.ts";
import { pattern, type Subject } from "./subject.ts";
import { wait } from "./wait.ts";

// So many unfinished handlers of one subscription mean that it does not keep up.
const slowAt = 1000;
const drainTime = 2000;

export interface NatsBusOptions {
  /** Id of the node under whose name it says what it says of itself. Absent: in nobody's, straight to the listeners. */
  by?: string | undefined;
}

/** The bus over a connection to a NATS server. What is published while the server is away is dropped: all state is repeated. */
export function natsBus(connection: NatsConnection, log: Log, { by }: NatsBusOptions = {}): Bus {
  const state = connectionState(connection, log);
  let closing: Promise<void> | undefined;
  const say = (name: string, text: string, reply?: string) => {
    if (!state.connected) return;
    try {
      connection.publish(name, text, reply ? { reply } : {});
    } catch (error) {
      if (!closing) throw error;
    }
  };
  const gather = async <P, R>(subject: Subject<P, R>, payload: P, options: GatherOptions): Promise<R[]> => {
    const text = encode(subject.payload, payload);
    if (options.expected === 0) return [];
    if (!state.connected) return await wait(options.timeout).then(() => []);
    return await answersTo(connection, subject, { ...options, text, log });
  };
  return {
    publish<P, R>(subject: Subject<P, R>, payload: P, options: PublishOptions = {}) {
      const name = by && subject.of ? byName(by, subject.name) : subject.name;
      say(name, encode(subject.payload, payload), options.reply);
    },
    subscribe<P, R>(
      subject: Subject<P, R>,
      handler: (payload: P, message: Message<R>) => unknown,
      options: { queue?: string } = {},
    ): Subscription {
      const handle = handling(subject, handler, { say, log });
      const callback = (error: Error | null, msg: Msg) =>
        error ? log.error({ subject: subject.name, error: error.message }, "a subscription was ended") : handle(msg);
      const queue = options.queue ?? subject.queue;
      const one = connection.subscribe(pattern(subject), queue ? { queue, callback } : { callback });
      return { stop: () => connection.isClosed() || one.unsubscribe() };
    },
    request: async (subject, payload, options: RequestOptions) =>
      (await gather(subject, payload, { ...options, expected: 1 }))[0],
    gather,
    async flush() {
      // A loss in between ends the wait: what was under way is lost as well.
      if (state.connected) await connection.flush().catch(() => {});
    },
    get connected() {
      return state.connected && !closing;
    },
    onConnection: state.watch,
    close() {
      closing ??= leave(connection, state.connected);
      return closing;
    },
  };
}

async function leave(connection: NatsConnection, connected: boolean) {
  if (connected) await Promise.race([connection.drain().catch(() => {}), wait(drainTime)]);
  await connection.close();
}

interface Asking extends GatherOptions {
  text: string;
  log: Log;
}

async function answersTo<P, R>(connection: NatsConnection, subject: Subject<P, R>, asking: Asking): Promise<R[]> {
  const { text, timeout, expected, log } = asking;
  const answers: R[] = [];
  try {
    const many = await connection.requestMany(subject.name, text, { strategy: "timer", maxWait: Math.max(1, timeout) });
    for await (const msg of many) {
      const answer = read(subject.reply, msg, log);
      if (answer) answers.push(answer.payload);
      if (answers.length === expected) break;
    }
  } catch (error) {
    // Nobody listens: zero answers. A connection that was closed meanwhile has none either.
    const { name } = error as Error;
    if (name !== "NoRespondersError")
      log.debug({ subject: subject.name, error: String(error) }, "a request ended early");
  }
  return answers;
}

function read<P>(schema: Subject<P>["payload"] | undefined, msg: Msg, log: Log): { payload: P } | undefined {
  try {
    return schema && { payload: decode(schema, msg.string()) };
  } catch (error) {
    log.warn({ subject: msg.subject, error: String(error) }, "a message could not be read and was dropped");
    return undefined;
  }
}

interface Replying {
  say: (name: string, text: string) => void;
  log: Log;
}

function handling<P, R>(
  subject: Subject<P, R>,
  handler: (payload: P, message: Message<R>) => unknown,
  { say, log }: Replying,
): (msg: Msg) => void {
  let pending = 0;
  const run = async (payload: P, msg: Msg) => {
    if (++pending === slowAt)
      log.warn({ subject: subject.name, pending }, "a slow consumer: messages wait to be handled");
    try {
      const to = msg.reply && isForAnswers(msg.reply) ? msg.reply : undefined;
      const reply = (answer: R) => subject.reply && to && say(to, encode(subject.reply, answer));
      await handler(payload, { subject: msg.subject, wantsReply: Boolean(to), reply });
    } catch (error) {
      log.error({ subject: msg.subject, error: String(error), stack: (error as Error)?.stack }, "a handler failed");
    } finally {
      pending--;
    }
  };
  return (msg) => {
    if (isNoResponders(msg)) return;
    const message = read(subject.payload, msg, log);
    if (message) void run(message.payload, msg);
  };
}

// A publisher that named a reply subject of its own is told there that nobody listens.
function isNoResponders(msg: Msg): boolean {
  return msg.data.length === 0 && msg.headers?.code === 503;
}
