/** What is told of an instance. */
export interface HeldInstance {
  readonly instance: string;
  readonly droplet: string;
}

/** Which DEA holds which instance, from what the DEAs say each beat. An instance never moves: whoever named it first has it. */
export interface Holdings {
  /** The first of these that another DEA holds. */
  conflict(dea: string, instances: readonly HeldInstance[]): HeldInstance | undefined;
  /** Everything that a DEA holds now. */
  heard(dea: string, instances: readonly HeldInstance[]): void;
  holder(instance: string): { readonly dea: string; readonly droplet: string } | undefined;
  /** Whether it has been listened for long enough that what is unknown is not there. */
  readonly settled: boolean;
}

// Beats: after so many everybody has spoken, and whoever has been silent for so many is gone.
const [enough, gone] = [3, 60];

export function holdings({ beat, now }: { beat: number; now: () => number }): Holdings {
  const began = now();
  const deas = new Map<string, { at: number; instances: Map<string, string> }>();
  const owners = new Map<string, string>();
  let swept = began;
  const drop = (dea: string) => {
    for (const instance of deas.get(dea)?.instances.keys() ?? []) owners.delete(instance);
    deas.delete(dea);
  };
  const sweep = () => {
    if (now() - swept < gone * beat) return;
    swept = now();
    for (const [dea, { at }] of deas) if (now() - at > gone * beat) drop(dea);
  };
  const foreign = (dea: string, instance: string) => (owners.get(instance) ?? dea) !== dea;
  return {
    conflict: (dea, instances) => instances.find(({ instance }) => foreign(dea, instance)),
    heard(dea, instances) {
      sweep();
      drop(dea);
      const own = instances.filter(({ instance }) => !foreign(dea, instance));
      deas.set(dea, { at: now(), instances: new Map(own.map(({ instance, droplet }) => [instance, droplet])) });
      for (const { instance } of own) owners.set(instance, dea);
    },
    holder(instance) {
      const dea = owners.get(instance);
      const droplet = dea === undefined ? undefined : deas.get(dea)?.instances.get(instance);
      return dea !== undefined && droplet !== undefined ? { dea, droplet } : undefined;
    },
    get settled() {
      return now() - began > enough * beat;
    },
  };
}
