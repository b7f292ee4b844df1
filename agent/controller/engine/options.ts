import type { Bus } from "../../bus/bus.ts";
import type { Tls } from "../../bus/web.ts";
import type { Log } from "../../run/log.ts";
import type { Blobs } from "../../store/blobs.ts";
import type { Store } from "../../store/store.ts";
import type { Tables } from "../tables.ts";
import type { Newcomer } from "./membership.ts";

export interface EngineOptions {
  bus: Bus;
  store: Store;
  tables: Tables;
  blobs: Blobs;
  log: Log;
  index: number;
  /** Milliseconds. */
  beat: number;
  /** IP at which other nodes reach this controller. */
  address: string;
  /** What the controller's server shows to other nodes; without it, it speaks HTTP. */
  tls?: Tls | undefined;
  /** Domain of the cluster; the API answers at `api.<domain>`. */
  domain: string;
  /** `urls` signs what stagers and DEAs may fetch, `bulk` is the password of the bulk interface. */
  keys: { urls: string; bulk: string };
  home: string;
  /** Base of this controller's HTTP server as other nodes reach it, without a slash at the end. */
  url: () => string;
  /** What machines are told that are to become nodes; absent: the cluster is one machine, and stays it. */
  newcomer?: Newcomer | undefined;
}

/** How long an answer may take: a beat, but never so short that a busy machine looks like a lost message. */
export const patience = (beat: number): number => Math.max(beat, 300);
