import { type Authenticator, connect, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node";
import type { Log } from "../run/log.ts";
import type { Bus } from "./bus.ts";
import { natsBus } from "./natsBus.ts";
import { publicKeyOf } from "./nkeys.ts";
import { backoff, wait } from "./wait.ts";

export interface DialOptions {
  /** `nats://host:port`; several for a cluster. */
  servers: string | readonly string[];
  /** Shown by the server's monitoring; `<component>-<index>` by custom. */
  name: string;
  /** Whose permissions: a party of the table. Answers arrive under `_INBOX_<user>`. */
  user: string;
  /** The secret of an nkey user. */
  seed?: string;
  /** The secret of a user with a password. */
  password?: string;
  log: Log;
  /** Gives up waiting for the first connection. */
  stop?: AbortSignal;
}

export interface Dialed {
  readonly bus: Bus;
  /** For the store, which speaks to the same server. */
  readonly connection: NatsConnection;
  /** Sends what is under way and leaves. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Connects to the bus and stays connected: tries for ever, at the beginning and after each loss.
 * Rejects only when `stop` is aborted before the first connection, or when the seed is none.
 */
export async function dial(options: DialOptions): Promise<Dialed> {
  const authenticator = options.seed === undefined ? undefined : signer(options.seed);
  const { name, log, stop } = options;
  for (let attempt = 0; ; attempt++) {
    stop?.throwIfAborted();
    try {
      const connection = await connectOnce(options, authenticator);
      if (stop?.aborted) await connection.close();
      stop?.throwIfAborted();
      const bus = natsBus(connection, log.child({ bus: name }));
      return { bus, connection, close: () => bus.close() };
    } catch (error) {
      stop?.throwIfAborted();
      if (attempt % 10 === 0) log.warn({ bus: name, error: String(error) }, "the bus cannot be reached yet");
      await wait(backoff(attempt), stop);
    }
  }
}

function connectOnce(options: DialOptions, authenticator: Authenticator | undefined): Promise<NatsConnection> {
  const { servers, name, user, password } = options;
  return connect({
    servers: typeof servers === "string" ? servers : [...servers],
    name,
    ...(authenticator ? { authenticator } : { user, pass: password }),
    inboxPrefix: `_INBOX_${user}`,
    timeout: 3000,
    maxReconnectAttempts: -1,
    // A server whose users are being reloaded refuses everybody for a moment.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: 100,
    reconnectDelayHandler: () => 100 + Math.random() * 400,
    // A connection that died without a word is found out after 15 s, well before routes expire.
    pingInterval: 5000,
    maxPingOut: 2,
    noAsyncTraces: true,
  });
}

function signer(seed: string): Authenticator {
  publicKeyOf(seed);
  return nkeyAuthenticator(new TextEncoder().encode(seed));
}
