import type { Log } from "../run/log.ts";

/** What a node is told at its birth of the cluster it belongs to. */
export interface Newcomer {
  readonly id: string;
  readonly index: number;
  /** IP at which the other nodes reach it. */
  readonly address: string;
  /** Milliseconds. */
  readonly beat: number;
  /** Directory of everything the node keeps. */
  readonly home: string;
  readonly ports: { readonly nats: number };
  readonly join: {
    readonly cores: readonly string[];
    /** PEM. */
    readonly ca: string;
    readonly claim: { id: string; roles: string[]; expires: string; secret: string };
    readonly instance: string;
  };
}

/** How it stands with a node's admission, for people. */
export interface IdentityState {
  /** `starting`: it goes on by itself as soon as what it waits for is there. `failing`: somebody has to do something. */
  readonly state: "starting" | "ready" | "failing";
  readonly code?: string;
  readonly reason?: string;
  readonly hint?: string;
}

export interface Joining {
  readonly spec: Newcomer;
  readonly log: Log;
  /** Told of each change. */
  readonly onState?: (state: IdentityState) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}
