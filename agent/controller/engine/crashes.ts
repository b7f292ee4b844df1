import type { Bus } from "../../bus/bus.ts";
import type { DeaFound } from "../../bus/messages/instance.ts";
import { subjects } from "../../bus/subjects.ts";
import type { Process } from "../records.ts";
import type { Finder } from "./find.ts";

export interface CrashOptions {
  bus: Bus;
  beat: number;
  finder: Finder;
}

/** What can be learned about the slots of a process that do not run. */
export interface Crashes {
  /** Crashed instances that the DEAs keep; so many at most are of interest. */
  crashed(wanted: number): Promise<DeaFound[]>;
  /** The same, but only if the health manager knows of them: it is asked first, and not waited for long. */
  named(): Promise<DeaFound[]>;
  /** Slots that are not started again for a while. */
  flapping(): Promise<{ index: number; since: number }[]>;
}

export function crashes({ bus, beat, finder }: CrashOptions, { guid, version }: Process): Crashes {
  // It answers at once or, while it is unsure, never: nobody who looks at an app should wait for that.
  const timeout = Math.max(300, beat / 2);
  const ask = (state: string) =>
    bus.request(subjects.healthmanagerStatus, { droplet: guid, version, state }, { timeout });
  const crashed = { version, states: ["CRASHED" as const] };
  const theseOf = async (ids: readonly string[]) => {
    // By id only: the health manager counts those of other versions too, and each of them is to answer.
    const instances = [...ids];
    const found = await finder.find(guid, { instances, states: ["CRASHED"], expected: instances.length });
    return found.filter((one) => one.version === version);
  };
  const known = async () => {
    const reply = await ask("CRASHED");
    return reply?.instances?.map(({ instance }) => instance);
  };
  return {
    async crashed(wanted) {
      // DEAs with nothing to tell are silent, which takes a while; the health manager mostly knows at once.
      const silent = finder.find(guid, { ...crashed, expected: wanted });
      const quick = known().then((ids) => (ids ? theseOf(ids) : silent));
      return await Promise.race([silent, quick]);
    },
    async named() {
      return await theseOf((await known()) ?? []);
    },
    async flapping() {
      return (await ask("FLAPPING"))?.indices ?? [];
    },
  };
}
