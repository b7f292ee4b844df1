import { constants } from "node:os";
import type { Doom, Instance } from "./instance.ts";

/** How a process ended; both unknown when it was not our child. */
export interface Ended {
  code?: number;
  signal?: string;
}

/** A port that a process group listens on. */
export interface Listening {
  address: string;
  port: number;
}

/** The shell's number for an end: the code, 128 + signal, or -1 when nobody knows. */
export function statusOf({ code, signal }: Ended): number {
  if (signal) return 128 + ((constants.signals as Record<string, number>)[signal] ?? 0);
  return code ?? -1;
}

/** Why an instance is gone: what we had decided, else what its process shows. */
export function whyEnded(one: Pick<Instance, "doom" | "born" | "since" | "limits">, how: Ended, now: number): string {
  const seen = describeEnd(how, now - one.born, one.limits.disk);
  if (!one.doom) return seen;
  const stubborn = one.doom.reason !== "CRASHED" && how.signal === "SIGKILL";
  const waited = ((now - one.since) / 1000).toFixed(1);
  return stubborn ? `${one.doom.description}; killed because it ignored SIGTERM for ${waited} s` : one.doom.description;
}

export function describeEnd(ended: Ended, lasted: number, diskQuota: number): string {
  const after = `after ${(lasted / 1000).toFixed(1)} s`;
  if (ended.signal === "SIGXFSZ") return `killed by SIGXFSZ ${after}: it wrote a file larger than ${diskQuota} MiB`;
  if (ended.signal) return `killed by ${ended.signal} ${after}`;
  if (ended.code !== undefined) return `exited with status ${ended.code} ${after}`;
  return `ended ${after}; its exit status is unknown because the agent was restarted meanwhile`;
}

/** Why an instance that was given `port` has not become ready within `seconds`. */
export function describeSilence(port: number, seconds: number, open: readonly Listening[]): string {
  const other = [...new Set(open.map((one) => one.port))].filter((one) => one !== port);
  if (open.some((one) => one.port === port)) {
    const where = open.find((one) => one.port === port)?.address;
    return `did not answer on port ${port} within ${seconds} s; it listens on ${where} only: listen on 0.0.0.0`;
  }
  if (other.length === 0) return `did not listen on port ${port} within ${seconds} s`;
  return `did not listen on port ${port} within ${seconds} s; it listens on ${other.join(", ")} instead: listen on $PORT`;
}

export function overQuota(
  used: { memory: number; disk: number },
  limits: { mem: number; disk: number },
): Doom | undefined {
  const over = (word: string, bytes: number, limit: number): Doom | undefined =>
    bytes > limit * 2 ** 20
      ? { reason: "CRASHED", description: `out of ${word}: used ${Math.round(bytes / 2 ** 20)} MiB of ${limit} MiB` }
      : undefined;
  return over("memory", used.memory, limits.mem) ?? over("disk", used.disk, limits.disk);
}
