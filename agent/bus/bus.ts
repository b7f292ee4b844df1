import type { Subject } from "./subject.ts";

/** A message as it reached a subscriber. */
export interface Message<R> {
  /** The concrete subject. */
  readonly subject: string;
  /** True when the sender waits for an answer. */
  readonly wantsReply: boolean;
  /** Answers the sender; does nothing when there is no reply subject. May be called more than once. */
  reply(answer: R): void;
}

export interface Subscription {
  stop(): void;
}

export interface PublishOptions {
  /** Subject that answers should go to; the sender has subscribed to it before. */
  reply?: string;
}

export interface RequestOptions {
  /** Milliseconds to wait. */
  timeout: number;
}

export interface GatherOptions extends RequestOptions {
  /** Stop when so many answers are there. 0: nothing is sent at all. Absent: wait for the timeout. */
  expected?: number;
}

/**
 * What machines say to each other: JSON over core NATS, at most once, nothing kept.
 *
 * Payloads are checked against the subject's schema on both sides. A message that cannot be decoded is logged and
 * dropped; a handler that throws is logged and never ends the subscription. Subjects come from `subjects.ts` only.
 */
export interface Bus {
  publish<P, R>(subject: Subject<P, R>, payload: P, options?: PublishOptions): void;
  subscribe<P, R>(
    subject: Subject<P, R>,
    handler: (payload: P, message: Message<R>) => unknown,
    options?: { queue?: string },
  ): Subscription;
  /** The first answer, or undefined when nobody answered in time: silence is the protocol's negative answer. */
  request<P, R>(subject: Subject<P, R>, payload: P, options: RequestOptions): Promise<R | undefined>;
  /** All answers until `expected` or the timeout, whichever comes first. */
  gather<P, R>(subject: Subject<P, R>, payload: P, options: GatherOptions): Promise<R[]>;
  /** Resolves when everything published so far has reached the server. */
  flush(): Promise<void>;
  readonly connected: boolean;
  /** Told of each loss and each return of the connection. Returns the way to unsubscribe. */
  onConnection(listener: (connected: boolean) => void): () => void;
  /** Sends what is under way, then leaves the bus. Safe to call twice. */
  close(): Promise<void>;
}
