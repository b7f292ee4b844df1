import type { z } from "zod";
import type { Ended, Listening } from "./exits.ts";
import type { identity } from "./instance.ts";

/** What tells a running instance from everything else, also after the agent was started again. Kept as JSON. */
export type Identity = z.output<typeof identity>;

/** The place of one instance. */
export interface Box {
  id: string;
  /** Absolute path; nobody but the instance and the agent reads it. */
  directory: string;
  /** Number of the instance's user among those of this DEA. */
  slot: number;
  /** MiB, MiB, count. */
  limits: { mem: number; disk: number; fds: number };
}

export interface Launch {
  /** For `sh -c` in `app/`; absent: the droplet's `./startup -p PORT`. */
  command: string | undefined;
  port: number | undefined;
  /** All of it: nothing of the agent's environment is handed on. It never shows in an argument list. */
  env: Record<string, string>;
}

/** An instance that runs. */
export interface Contained {
  readonly identity: Identity;
  /** Settles when its first process is gone, however that came. */
  readonly ended: Promise<Ended>;
  /** SIGTERM to all its processes, SIGKILL after `grace` milliseconds. */
  stop(grace: number): Promise<Ended>;
  kill(): void;
  /** The ports on which its processes listen. */
  listening(): Promise<Listening[]>;
}

/** `memory` bytes of all processes; `cpu` seconds that those alive have used so far. */
export interface Measure {
  memory: number;
  cpu: number;
}

export interface Stray {
  /** Directory name below the root, when there is one. */
  directory?: string;
  pids: number[];
}

/**
 * How instances are kept apart and started. The DEA knows no more of it than this: a plain process and a container
 * fit alike. Instances write to `logs/stdout.log` and `logs/stderr.log` of their box and outlive the agent.
 */
export interface Driver {
  readonly name: string;
  /** The user that instances run as, for people. */
  readonly user: string;
  /** What this driver does not protect from, one sentence each. */
  readonly missing: readonly string[];
  /** Makes the root directory ready. */
  open(): Promise<void>;
  /** Makes the box and unpacks a droplet into it. Throws when the archive is bad or wants to leave the box. */
  fill(box: Box, tarball: string, stop: AbortSignal): Promise<void>;
  start(box: Box, launch: Launch): Promise<Contained>;
  /** The instance again after the agent was away; undefined when it has ended. */
  adopt(box: Box, identity: Identity): Contained | undefined;
  /** By box id. Boxes without processes are left out. */
  measure(live: readonly { box: Box; identity: Identity }[]): Promise<Map<string, Measure>>;
  /** Bytes that the box takes on disk. */
  disk(box: Box): Promise<number>;
  /** Ends whatever is left of an instance whose first process is gone. */
  sweep(box: Box, identity: Identity | undefined): Promise<void>;
  remove(box: Box): Promise<void>;
  /** Directories and processes that belong to none of these boxes. */
  strays(known: readonly Box[]): Promise<Stray[]>;
  /** Stops watching. Instances go on. */
  close(): void;
}
