import type { z } from "zod";
import type { Bus } from "../../bus/bus.ts";
import type { DeaFound, deaFind, InstanceState } from "../../bus/messages.ts";
import { subjects } from "../../bus/subjects.ts";
import type { Deas } from "./deas.ts";
import { patience } from "./options.ts";

type DeaFind = z.output<typeof deaFind>;

/** States in which an instance serves, or is about to. */
export const living: readonly InstanceState[] = ["BORN", "STARTING", "RESUMING", "RUNNING"];

export interface Finding extends Omit<DeaFind, "droplet"> {
  /** How many answers there can be, when it is known: the question ends with the last one. */
  expected?: number;
}

/** Asks the DEAs what they hold of a process. */
export interface Finder {
  find(droplet: string, finding?: Finding): Promise<DeaFound[]>;
  /**
   * Living instances of a process. Adverts tell how many to wait for: a process that no DEA holds costs no question, as
   * long as all DEAs have been heard since this controller came to the bus.
   */
  alive(droplet: string, finding?: Omit<Finding, "states" | "expected">): Promise<DeaFound[]>;
}

export interface FinderOptions {
  bus: Bus;
  deas: Deas;
  beat: number;
  /** Whether every DEA has had the time to advertise itself. */
  complete: () => boolean;
}

export function finder({ bus, deas, beat, complete }: FinderOptions): Finder {
  const find = async (droplet: string, { expected, instances, ...filter }: Finding = {}) => {
    // Both names of the list: a DEA of 2012 reads only the one, later ones only the other.
    const ids = instances && { instances, instance_ids: instances };
    const timeout = 2 * patience(beat);
    const found = await bus.gather(subjects.deaFindDroplet, { droplet, ...filter, ...ids }, { timeout, expected });
    return found.filter((one) => one.droplet === droplet && matches(one, { instances, ...filter }));
  };
  return {
    find,
    async alive(droplet, finding = {}) {
      const expected = complete() ? deas.count(droplet, Date.now()) : undefined;
      return await find(droplet, { ...finding, states: [...living, "EVACUATING"], expected });
    },
  };
}

/** Old DEAs ignore filters they do not know. */
function matches(one: DeaFound, { instances, version, indices, states }: Omit<DeaFind, "droplet">): boolean {
  if (instances && !instances.includes(one.instance)) return false;
  if (version !== undefined && one.version !== version) return false;
  if (indices && !indices.includes(one.index)) return false;
  return !states || states.includes(one.state);
}
