import { checkServerIdentity, type PeerCertificate } from "node:tls";
import {
  type Authenticator,
  type ConnectionOptions,
  connect,
  type NatsConnection,
  nkeyAuthenticator,
} from "@nats-io/transport-node";
import type { Log } from "../run/log.ts";
import type { Bus } from "./bus.ts";
import { natsBus } from "./natsBus.ts";
import { publicKeyOf } from "./nkeys.ts";
import { backoff, wait } from "./wait.ts";

export interface DialOptions {
  /** `nats://host:port`, or `tls://…` together with `ca`; several for a cluster, of which any will do. */
  servers: string | readonly string[];
  /** PEM of the authority: the connection is encrypted, and the server has to prove that it is one of `servers`. */
  ca?: string;
  /** Shown by the server's monitoring; `<component>-<index>` by custom. */
  name: string;
  /** Whose permissions: a party of the table, or a node by its id. Answers arrive under `_INBOX_<user>`. */
  user: string;
  /** The secret of an nkey user. */
  seed?: string;
  /** The secret of a user with a password. Without either secret the server knows us as nobody. */
  password?: string;
  /** Id of the node under whose name messages about itself are said; a core passes on what is true. */
  by?: string;
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

// Whoever starts together with the server is not told of a bus that is away: it comes in a moment.
const quiet = 250;

/**
 * Connects to the bus and stays connected: tries for ever, at the beginning and after each loss.
 * Rejects only when `stop` is aborted before the first connection, or when the seed is none.
 */
export async function dial(options: DialOptions): Promise<Dialed> {
  if (options.seed !== undefined) publicKeyOf(options.seed);
  const { name, log, stop } = options;
  const began = performance.now();
  let warned = 0;
  for (let attempt = 0; ; attempt++) {
    stop?.throwIfAborted();
    try {
      return await dialOnce(options);
    } catch (error) {
      stop?.throwIfAborted();
      const tell = performance.now() - began > quiet && warned++ % 10 === 0 ? "warn" : "debug";
      log[tell]({ bus: name, error: String(error) }, "the bus cannot be reached yet");
      await wait(backoff(attempt), stop);
    }
  }
}

/** The same with a single try: rejects with the reason of the last server. Once connected it stays so. */
export async function dialOnce(options: DialOptions): Promise<Dialed> {
  const refusals = { inRow: 0 };
  const connection = await connect({
    ...connectionOptions(options),
    reconnectDelayHandler: () => pause(refusals.inRow),
  });
  void count(connection, refusals);
  if (options.stop?.aborted) await connection.close();
  options.stop?.throwIfAborted();
  const bus = natsBus(connection, options.log.child({ bus: options.name }), { by: options.by });
  return { bus, connection, close: () => bus.close() };
}

function connectionOptions({ servers, ca, name, user, ...secret }: DialOptions): ConnectionOptions {
  const list = [servers].flat();
  return {
    servers: list,
    name,
    ...credentials(user, secret),
    ...(ca === undefined ? {} : { tls: { ca, ...oneOf(list) } }),
    // Who the servers are is settled: a server's word about others is not asked for.
    ignoreClusterUpdates: true,
    inboxPrefix: `_INBOX_${user}`,
    timeout: 3000,
    maxReconnectAttempts: -1,
    // A server whose users are being reloaded refuses everybody for a moment.
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: 100,
    // A connection that died without a word is found out after 15 s, well before routes expire.
    pingInterval: 5000,
    maxPingOut: 2,
    noAsyncTraces: true,
  };
}

/** Milliseconds. Who was refused again and again has been shut out, and need not knock at the door all the time. */
const pause = (refusals: number) => (refusals < 20 ? 100 + Math.random() * 400 : 2000 + Math.random() * 3000);

async function count(connection: NatsConnection, refusals: { inRow: number }): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === "reconnect") refusals.inRow = 0;
    if (status.type === "error" && status.error.name === "AuthorizationError") refusals.inRow++;
  }
}

function credentials(user: string, { seed, password }: Pick<DialOptions, "seed" | "password">): ConnectionOptions {
  if (seed !== undefined) return { authenticator: signer(seed) };
  return password === undefined ? {} : { user, pass: password };
}

/**
 * A certificate of the authority is not enough, as every node has one: it must be that of one of these hosts. (Of a
 * server that is named by its IP, the client would look for `localhost` in the certificate, which all of them have.)
 */
function oneOf(servers: readonly string[]) {
  const hosts = servers.map((server) => new URL(server).hostname.replace(/^\[|\]$/g, ""));
  return {
    checkServerIdentity(_name: string, certificate: PeerCertificate): Error | undefined {
      const refusals = hosts.map((host) => checkServerIdentity(host, certificate));
      return refusals.includes(undefined) ? undefined : refusals[0];
    },
  };
}

function signer(seed: string): Authenticator {
  return nkeyAuthenticator(new TextEncoder().encode(seed));
}
