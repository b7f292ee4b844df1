import type { InstanceState } from "../bus/messages/values.ts";

/** An instance as its DEA's heartbeats show it. Times in ms of our clock, unless said otherwise. */
export interface Instance {
  readonly id: string;
  readonly droplet: string;
  readonly version: string;
  readonly index: number;
  /** Who listed it last: a DEA that starts again has a new name and adopts what runs. */
  dea: string;
  readonly firstSeen: number;
  state: InstanceState;
  /** Unix seconds, by the DEA's clock: for people only. */
  since: number;
  seen: number;
  /** Heartbeats that listed it. */
  beats: number;
  upSince: number | undefined;
  stopAsked: number;
}

/** What we remember of a place in which an instance is or should be. */
export interface Slot {
  readonly version: string;
  readonly index: number;
  /** Crashes since an instance was last up for long. */
  crashes: number;
  /** Unix seconds of the last crash, as the DEA reported it. */
  crashedAt: number;
  /** Not to be started before this. */
  due: number;
  /** When a start was last asked for. */
  asked: number;
  /** Its instance was reported as ended, and no start has been asked for since. */
  told: boolean;
  touched: number;
}

export interface Crash {
  readonly instance: string;
  /** Unix seconds. */
  readonly since: number;
  seen: number;
}

export interface App {
  readonly droplet: string;
  readonly instances: Map<string, Instance>;
  readonly slots: Map<string, Slot>;
  readonly crashes: Map<string, Crash>;
  /** Since when, and in how many complete runs in a row, no desired state knew it. */
  unknownSince: number | undefined;
  unknownRuns: number;
}

const live: ReadonlySet<InstanceState> = new Set(["BORN", "STARTING", "RESUMING", "RUNNING"]);
/** True for an instance that fills its slot. One that is evacuating still serves and wants a replacement. */
export const fills = (instance: Instance): boolean => live.has(instance.state);
/** True for an instance that does or will serve. */
export const serves = (instance: Instance): boolean => fills(instance) || instance.state === "EVACUATING";
