import { join } from "node:path";
import type { Bus } from "../bus/bus.ts";
import type { PortRange } from "../bus/status.ts";
import type { Tls } from "../bus/web.ts";
import type { Log } from "../run/log.ts";
import type { Driver } from "./driver.ts";

export interface DeaOptions {
  bus: Bus;
  log: Log;
  index: number;
  /** IP at which other nodes reach the instances and the files of this one. */
  address: string;
  /** Milliseconds. Every second of the protocol is one beat here. */
  beat: number;
  /** Directory for snapshot, droplets and instances. Others than root need the right to enter its parents. */
  home: string;
  /** Absent: the one of the last run, or a new one. */
  id?: string;
  /** What its servers show to other nodes; without it they speak HTTP. */
  tls?: Tls | undefined;
  /** Where the status server may listen. Absent: any free port. */
  statusPorts?: PortRange | undefined;
  /** MiB, MiB, count. */
  capacity: { memory: number; disk: number; instances: number };
  zone: string;
  /** Empty: all. */
  stacks: string[];
  /** Empty: all. */
  runtimes: string[];
  /** Port of the file server; 0: any. Default 12345. */
  filePort?: number;
  /** Default 61001..65500, above the ports that the kernel hands out by itself. */
  instancePorts?: { first: number; last: number };
  /** Seconds that a crashed instance is kept. Default 3600. */
  crashLifetime?: number;
  /** PATH of instances. */
  path?: string;
  /** Bytes on disk for each of an instance's two log files. Default 10 MiB. */
  logCap?: number;
  /** Bytes of downloaded droplets kept for the next start. Default 2 GiB. */
  dropletCache?: number;
  /** Part of the file system that may be used before new instances are refused. Default 0.95. */
  diskThreshold?: number;
  /** Seconds between SIGTERM and SIGKILL. Default 10. */
  stopGrace?: number;
  /** What becomes of instances when the DEA is stopped: `leave` them for the next run (default), or `stop` them. */
  onStop?: "leave" | "stop";
  /** Default: plain processes. */
  driver?: Driver;
}

type Optional = "id" | "tls" | "statusPorts";
export type Settings = Required<Omit<DeaOptions, "driver" | Optional>> & Pick<DeaOptions, Optional>;

export function settled(options: DeaOptions): Settings {
  return {
    filePort: 12345,
    instancePorts: { first: 61001, last: 65500 },
    crashLifetime: 3600,
    path: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    logCap: 10 * 2 ** 20,
    dropletCache: 2 * 2 ** 30,
    diskThreshold: 0.95,
    stopGrace: 10,
    onStop: "leave",
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  } as Settings;
}

/** Where things lie below the home. */
export const layout = (home: string) => ({
  instances: join(home, "instances"),
  droplets: join(home, "droplets"),
  evidence: join(home, "evidence"),
  snapshot: join(home, "snapshot.json"),
});
