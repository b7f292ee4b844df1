/** What a machine is made of. */
export interface MachinePlan {
  /** `i-…`; names it among those of its room. */
  readonly id: string;
  /** Of ens5: it stands in the network namespace already, this is for those who ask. */
  readonly mac: string;
  /** MiB. */
  readonly memory: number;
  /** GiB; less than the image's 8 is 8. */
  readonly disk: number;
  /** Path of its network namespace, which has ens5. There before it boots, and as long as it may boot again. */
  readonly netns: string;
  /** A directory of its own, kept while it exists: disk and console. */
  readonly folder: string;
  /** The golden image: `ensureImage`. */
  readonly image: string;
  /** Absolute path → text; written to the disk before the first boot: what an image of one's own would have. */
  readonly files?: Readonly<Record<string, string>>;
}

/** `off`: switched off by itself or politely. `reboot`: it boots again by now. `crashed`: its power was cut. */
export type Ended = "off" | "reboot" | "crashed";
export type MachineState = "off" | "booting" | "running" | "stopping";

/** MiB. */
export interface MachineMemory {
  /** What its processes hold. */
  readonly resident: number;
  /** What the kernel keeps of its files, and gives back when it is needed. */
  readonly cache: number;
}

/** A machine of a rehearsal. What is asked of it at once is done in turn; only `kill` does not wait. */
export interface Machine {
  readonly id: string;
  readonly state: MachineState;
  /** Path of what it printed; each boot appends to it. */
  readonly console: string;
  /** Resolves when its first process runs; a machine that runs is left alone. Throws MachineFailed. */
  boot(): Promise<void>;
  /** Clean, by itself; after `patience` ms its power is cut, as EC2 does it. The disk stays. */
  shutdown(patience?: number): Promise<void>;
  /** A power cut: what was not synced to the disk is lost. */
  kill(): Promise<void>;
  /** Everything in it stands still; its network stays up and nobody answers. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Told of each end of a boot. Answers how to be told no more. */
  onEnd(listener: (how: Ended) => void): () => void;
  /** Runs a command in it as root. */
  run(command: readonly string[]): Promise<{ readonly code: number; readonly out: string }>;
  /** Undefined while it is off. */
  memory(): MachineMemory | undefined;
  /** Cuts its power and removes its folder. */
  remove(): Promise<void>;
}
