import type { Bus } from "../bus/bus.ts";
import type { PortRange } from "../bus/status.ts";
import type { Tls } from "../bus/web.ts";
import type { Log } from "../run/log.ts";
import type { BuildUser } from "./execute.ts";

export interface Settings {
  /** A connection of its own. */
  bus: Bus;
  log: Log;
  index: number;
  /** IP of the status server. */
  address: string;
  /** What its servers show to other nodes; without it they speak HTTP. */
  tls?: Tls | undefined;
  /** Where the status server may listen. Absent: any free port. */
  statusPorts?: PortRange | undefined;
  /** Milliseconds. */
  beat: number;
  /** A directory of the stager's own: `work/`, removed at each start, and `jobs/`, what is to be answered. */
  home: string;
  /** Package-manager caches shared between builds. */
  cacheDir: string;
  /** PATH of the package managers: node, npm, python3. */
  path: string;
  /** Jobs at once. */
  slots: number;
  /** Jobs that may wait for a slot; more are refused. */
  waiting: number;
  /** Seconds of one job, from download to upload. */
  timeout: number;
  /** MiB of one job, on disk. */
  diskLimit: number;
  /** Beats that running jobs get to finish when the stager is stopped. */
  grace: number;
  /** Runs the package managers; absent: the agent's own user. Must be able to reach `home` and `path`. */
  user?: BuildUser | undefined;
}

/** What has a default need not be given. */
export type StagerOptions = Pick<Settings, "bus" | "log" | "index" | "address" | "beat" | "home"> & Partial<Settings>;

export function withDefaults(settings: StagerOptions): Settings {
  return {
    ...settings,
    cacheDir: settings.cacheDir ?? `${settings.home}/cache`,
    path: settings.path ?? process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    slots: settings.slots ?? 1,
    waiting: settings.waiting ?? 100,
    // The 120 seconds of 2012 are too short for package managers.
    timeout: settings.timeout ?? 900,
    diskLimit: settings.diskLimit ?? 4096,
    grace: settings.grace ?? 3,
  };
}
