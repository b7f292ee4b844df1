import type { AnyAuthMethod, AuthHandlerMiddleware, BaseAgent, ParsedKey, ServerHostKeyAlgorithm } from "ssh2";
import ssh2 from "ssh2";
import { BootstrapFault } from "./fault.ts";
import { algorithmsFor, everyAlgorithm, type HostKey, hostKeyOf, sameKey } from "./hostKey.ts";
import { reach } from "./reach.ts";
import { type Session, sessionOf } from "./session.ts";
import { sshFault, stopped, type Talk } from "./sshFault.ts";

// The one home of ssh2.

export type { Answer, Session } from "./session.ts";

/** Where a machine's ssh answers, and as whom. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** What is offered for authentication: one key, or all that an agent holds. */
export interface Offer {
  /** The file, or `agent`. */
  readonly name: string;
  readonly fingerprints: readonly string[];
  readonly auth:
    | { readonly type: "publickey"; readonly key: ParsedKey }
    | { readonly type: "agent"; readonly agent: BaseAgent };
}

export interface ConnectOptions extends Address {
  /** Offered in this order. */
  readonly keys: readonly Offer[];
  /** The keys by which the host is known: it proves itself with one of them, or nothing is said to it. */
  readonly hostKeys: readonly HostKey[];
  readonly stop: AbortSignal;
  /** Milliseconds for the connection, and once more for the handshake. */
  readonly patience?: number | undefined;
}

const usual = 15_000;

/** Connects to a host whose keys are known. Rejects with BootstrapFault. */
export function connect(options: ConnectOptions): Promise<Session> {
  const { hostKeys } = options;
  if (hostKeys.length === 0)
    throw new BootstrapFault(`no host key of ${options.host} is known`, {
      code: "host_key_unknown",
      hint: "--known-hosts FILE",
    });
  const accept = (shown: HostKey) => hostKeys.some((known) => sameKey(known, shown));
  return handshake(options, { accept, algorithms: algorithmsFor(hostKeys) });
}

/** The key that a host shows, for a person to look at: nothing is trusted, and the connection ends there. */
export async function shownHostKey(address: Address, stop: AbortSignal): Promise<HostKey> {
  let shown: HostKey | undefined;
  const accept = (key: HostKey) => {
    shown = key;
    return false;
  };
  const options = { ...address, stop, keys: [], hostKeys: [] };
  await handshake(options, { accept, algorithms: everyAlgorithm }).catch((error: unknown) => {
    if (!shown) throw error;
  });
  if (!shown) throw new Error("a host was let through that showed no key");
  return shown;
}

interface Trust {
  accept(shown: HostKey): boolean;
  readonly algorithms: readonly string[];
}

async function handshake(options: ConnectOptions, { accept, algorithms }: Trust): Promise<Session> {
  const { patience = usual, stop, user } = options;
  const socket = await reach(options, patience);
  const talk: Talk = { address: options, hostKeys: options.hostKeys, offered: [], words: "" };
  socket.once("data", (chunk: Buffer) => {
    talk.words = chunk.toString("latin1", 0, 120);
  });
  const client = new ssh2.Client();
  return await new Promise<Session>((resolve, reject) => {
    const fail = (error: Error & { level?: string }) => {
      // An agent that cannot sign with one of its keys has others.
      if (error.level === "agent") return;
      reject(sshFault(error, talk));
      client.destroy();
    };
    const halt = () => fail(stopped());
    stop.addEventListener("abort", halt, { once: true });
    client.on("error", fail);
    client.once("close", () => {
      stop.removeEventListener("abort", halt);
      fail(new Error("Connection closed"));
    });
    client.once("ready", () => (talk.shown ? resolve(sessionOf(client, talk.shown)) : fail(new Error("no host key"))));
    client.connect({
      ...{ sock: socket, username: user, readyTimeout: patience, keepaliveInterval: 5000, keepaliveCountMax: 3 },
      authHandler: offering(user, options.keys, talk),
      algorithms: { serverHostKey: algorithms as ServerHostKeyAlgorithm[] },
      hostVerifier: (wire: Buffer) => {
        talk.shown = hostKeyOf(wire);
        return accept(talk.shown);
      },
    });
  });
}

/** First asks what the host would take at all; then offers one key after the other. */
function offering(username: string, keys: readonly Offer[], talk: Talk): AuthHandlerMiddleware {
  const left = [...keys];
  return (methods, partial, next) => {
    if (!methods) return next({ type: "none", username });
    Object.assign(talk, { methods, partial });
    const offer = methods.includes("publickey") && !partial ? left.shift() : undefined;
    if (offer) talk.offered.push(offer);
    next(offer ? ({ ...offer.auth, username } as AnyAuthMethod) : (false as never));
  };
}

/** A private key; `encrypted` when it takes a passphrase (or another one), undefined when it is none that can be read. */
export function readPrivateKey(name: string, text: string, passphrase?: string): Offer | "encrypted" | undefined {
  const key = ssh2.utils.parseKey(text, passphrase);
  // With a wrong passphrase some formats look torn.
  if (key instanceof Error) return passphrase !== undefined || /passphrase/.test(key.message) ? "encrypted" : undefined;
  const one = Array.isArray(key) ? (key[0] as ParsedKey) : key;
  return one.isPrivateKey() ? { name, fingerprints: [printOf(one)], auth: { type: "publickey", key: one } } : undefined;
}

/** What the agent behind a socket holds; undefined when there is none, or it holds nothing. */
export async function agentOffer(socket: string): Promise<Offer | undefined> {
  const agent = ssh2.createAgent(socket);
  const keys = await new Promise<ParsedKey[]>((resolve) =>
    agent.getIdentities((error, found) => resolve(error ? [] : ((found ?? []) as ParsedKey[]))),
  );
  if (keys.length === 0) return undefined;
  return { name: "agent", fingerprints: keys.map(printOf), auth: { type: "agent", agent } };
}

const printOf = (key: ParsedKey) => hostKeyOf(key.getPublicSSH()).fingerprint;
