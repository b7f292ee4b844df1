import type { App, Build, Deployment, Package, Process } from "./records.ts";

/** An instance as `GET /v3/processes/:guid/stats` shows it. Bytes, seconds, `cpu` as a fraction of one core. */
export interface InstanceView {
  index: number;
  state: "RUNNING" | "CRASHED" | "STARTING" | "STOPPING" | "DOWN";
  instance?: string;
  host?: string;
  port?: number;
  uptime: number;
  /** Unix seconds of the last change of state. */
  since: number;
  usage?: { time: string; cpu: number; mem: number; disk: number };
  mem_quota?: number;
  disk_quota?: number;
  fds_quota?: number;
  /** Why a slot is not running, when it is known: exit status, signal, "no listener on port …", "no DEA has 512 MiB free". */
  details?: string;
}

/** A line of an app's log as log-cache shows it. `at` in Unix nanoseconds. */
export interface LogEntry {
  at: bigint;
  source: string;
  instance: string;
  err: boolean;
  text: string;
}

/**
 * What happens behind the API: everything that needs the bus. The API writes the desired state into the tables first
 * and then tells the engine; a call that is lost is made good by the health manager.
 */
export interface Engine {
  /** Hands a build to a stager. Settles at once; the outcome is written into the build and its droplet. */
  stage(build: Build, pkg: Package, app: App): Promise<void>;
  /** Starts what the process wants and lacks (app STARTED), or stops everything of it (app STOPPED). */
  converge(process: Process): Promise<void>;
  /** Stops everything of a process that is about to be deleted. */
  stop(process: Process): Promise<void>;
  /** Stops one instance; the health manager brings it back. */
  stopInstance(process: Process, index: number): Promise<void>;
  /** Publishes the app's present routes to the DEAs. */
  routesChanged(app: App): Promise<void>;
  /** Rolls a deployment that is ACTIVE until it is FINALIZED. Settles at once. */
  roll(deployment: Deployment): Promise<void>;
  instances(process: Process): Promise<InstanceView[]>;
  /** Running slots of many processes, in one question to the health manager; those it does not know are absent. */
  running(processes: readonly Process[]): Promise<Map<string, number>>;
  /** Oldest first; `start` and `end` in Unix nanoseconds, both may be absent. */
  logs(
    app: string,
    options: { start?: bigint; end?: bigint; limit: number; descending: boolean; types?: string[] },
  ): LogEntry[];
  /** Writes a line into the app's log (source API). */
  log(app: string, text: string): void;
  /** What the bus said about the app lately. */
  trace(app: string): Promise<{ at: number; subject: string; what: string; from?: string | undefined }[]>;
  /** Publishes to vcap.cc.events. */
  audit(entry: readonly unknown[]): void;
  nodes(): NodeView[];
  components(): Promise<ComponentView[]>;
}

export interface NodeView {
  id: string;
  address: string;
  version: string;
  state: "UP" | "LOST";
  roles: string[];
  components: { name: string; state: string; since: number; reason?: string | undefined }[];
  /** Unix milliseconds of the last beat. */
  seen: number;
}

/** A component that answered vcap.component.discover, with what its /healthz says. */
export interface ComponentView {
  type: string;
  index: number;
  uuid: string;
  host: string;
  uptime: string;
  healthy: boolean;
}
