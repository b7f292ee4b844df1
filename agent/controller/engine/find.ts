import type { z } from "zod";
import type { Bus } from "../../bus/bus.ts";
import type { DeaFound, deaFind } from "../../bus/messages/instance.ts";
import type { InstanceState } from "../../bus/messages/values.ts";
import { subjects } from "../../bus/subjects.ts";
import type { Attention } from "./attention.ts";
import type { Deas } from "./deas.ts";
import { patience } from "./options.ts";

type DeaFind = z.output<typeof deaFind>;

/** States in which an instance takes room on its DEA, and so is counted in its adverts. */
const holding: InstanceState[] = ["BORN", "STARTING", "RESUMING", "RUNNING", "EVACUATING", "STOPPING"];

export interface Finding extends Omit<DeaFind, "droplet"> {
  /** How many answers there can be, when it is known: the question ends with the last one. */
  expected?: number;
}

type Which = Pick<DeaFind, "version" | "indices" | "include_stats">;

/** Asks the DEAs what they hold of a process. */
export interface Finder {
  find(droplet: string, finding?: Finding): Promise<DeaFound[]>;
  /** Instances of a process that serve or are about to. A process that no DEA holds costs no question. */
  alive(droplet: string, which?: Which): Promise<DeaFound[]>;
}

export interface FinderOptions {
  bus: Bus;
  deas: Deas;
  beat: number;
  attention: Attention;
  /** Whether the adverts tell where instances of this process are. */
  complete: (droplet: string) => boolean;
}

export function finder({ bus, deas, beat, attention, complete }: FinderOptions): Finder {
  const find = async (droplet: string, { expected, instances, ...filter }: Finding = {}) => {
    // Both names of the list: a DEA of 2012 reads only the one, later ones only the other.
    const ids = instances && { instances, instance_ids: instances };
    const timeout = 2 * patience(beat);
    const found = await bus.gather(subjects.deaFindDroplet, { droplet, ...filter, ...ids }, { timeout, expected });
    return found.filter((one) => matches(one, { droplet, instances, ...filter }));
  };
  // Unknown while some DEAs may not have been heard yet.
  const counted = (droplet: string) => (complete(droplet) ? deas.count(droplet, attention.now()) : undefined);
  return {
    find,
    async alive(droplet, { include_stats, version, indices } = {}) {
      // All that is counted is asked for: the question ends when so many have answered, and the choice is made here.
      const found = await find(droplet, { include_stats, states: holding, expected: counted(droplet) });
      return found.filter((one) => one.state !== "STOPPING" && matches(one, { droplet, version, indices }));
    },
  };
}

/** Old DEAs ignore filters they do not know. */
function matches(one: DeaFound, { droplet, instances, version, indices, states }: DeaFind): boolean {
  if (one.droplet !== droplet || (instances && !instances.includes(one.instance))) return false;
  if (version !== undefined && one.version !== version) return false;
  if (indices && !indices.includes(one.index)) return false;
  return !states || states.includes(one.state);
}
