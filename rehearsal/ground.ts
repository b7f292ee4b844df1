import { group } from "../agent/run/group.ts";
import type { Log } from "../agent/run/log.ts";
import type { Runner } from "../agent/run/runner.ts";
import { type Cloud, cloud } from "./ground/cloud.ts";
import type { GroundEvent } from "./ground/event.ts";
import type { Machine, MachinePlan, MachineState } from "./machines/machine.ts";
import { nspawnMachine } from "./machines/nspawn.ts";
import { service } from "./vpc/layout.ts";
import type { Names } from "./vpc/metadata/dns.ts";
import { type Vpc, vpc } from "./vpc/vpc.ts";

export interface GroundOptions {
  /** The rehearsal's API of EC2, on this room's loopback. */
  readonly url: string;
  /** Where machines keep disk and console, `<folder>/<instance id>/`: the API's `console`. What is in it of older ones goes. */
  readonly folder: string;
  /** The golden image. */
  readonly image: string;
  readonly log: Log;
  /** Default: eu-central-1. */
  readonly region?: string;
  /** Absolute path → text, for every machine. `/etc/tutti/boot.env` gets the address of S3 by itself. */
  readonly files?: Readonly<Record<string, string>>;
  /** What a machine is; default: `nspawnMachine`. */
  readonly machine?: (plan: MachinePlan, log: Log) => Machine;
  /** Names that machines find, beside their own; `*.trio.example` is all below it, and itself. */
  readonly names?: Names;
  /** Milliseconds between two questions to the API whether anything has changed; default 100. */
  readonly beat?: number;
}

/** An instance that has, or has had, a machine. */
export interface Booted {
  readonly id: string;
  readonly state: MachineState;
  /** True when cloud-init has printed that it is done with the last boot. */
  readonly finished: boolean;
  /** Values of the instance's tags. */
  readonly tags: Readonly<Record<string, string>>;
  readonly privateAddress: string;
  readonly publicAddress?: string;
  /** Path of its network namespace while it is on. */
  readonly netns: string;
  readonly machine: Machine;
}

export interface RehearsedGround {
  /** Ready when the network stands and the API was looked at once. Stopped, it leaves no machine. */
  readonly runner: Runner;
  /** Answers how to be told no more. */
  onEvent(listener: (event: GroundEvent) => void): () => void;
  machines(): readonly Booted[];
  /** The machine's cable carries nothing any more. */
  cut(id: string): Promise<void>;
  heal(id: string): Promise<void>;
  /** All names that machines find beside their own. */
  name(names: Names): void;
  /** Looks at the API at once. */
  look(): void;
  /** Calls that were made to the API. */
  readonly calls: number;
}

/**
 * The ground of a rehearsal: makes true what the API of EC2 says. Instances that run are machines, with the addresses,
 * security groups and metadata that the API has for them. Only in a closed room.
 */
export function rehearsedGround(options: GroundOptions): RehearsedGround {
  const { log, url } = options;
  const { hostname, port } = new URL(url);
  const network: Vpc = vpc({ log, service: { address: hostname, port: Number(port) || 80 } });
  if (options.names) network.name(options.names);
  const clouds: Cloud = cloud({
    ...options,
    machine: options.machine ?? nspawnMachine,
    files: withS3(options),
    network,
  });
  return {
    runner: group("rehearsed ground", [network.runner, clouds.runner]),
    onEvent: clouds.onEvent,
    machines: clouds.machines,
    cut: network.cut,
    heal: network.heal,
    name: network.name,
    look: clouds.look,
    get calls() {
      return clouds.calls;
    },
  };
}

const bootEnv = "/etc/tutti/boot.env";

/** The boot script finds the bucket where this says. */
function withS3({ files = {} }: GroundOptions): Record<string, string> {
  return { ...files, [bootEnv]: `TUTTI_S3=http://${service}\n${files[bootEnv] ?? ""}` };
}
