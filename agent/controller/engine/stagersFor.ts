import type { Bus } from "../../bus/bus.ts";
import { subjects } from "../../bus/subjects.ts";
import { patience } from "./options.ts";

/** Whether there are stagers, and which of them may have a job. */
export interface StagersSeen {
  some: boolean;
  able: string[];
}

/** Asks which stagers are there. One that came later than a job of this `age` (ms, when this is called) cannot have it. */
export function stagersFor({ bus, beat, age }: { bus: Bus; beat: number; age: number }): () => Promise<StagersSeen> {
  const began = Date.now() - age;
  return async () => {
    const found = await bus.gather(subjects.discover, {}, { timeout: 2 * patience(beat) });
    const stagers = found.filter(({ type }) => type === "Stager");
    const able = stagers.filter(({ uptime }) => !cameLater(uptime, Date.now() - began));
    return { some: stagers.length > 0, able: able.map(({ uuid }) => uuid) };
  };
}

/** Milliseconds for the rounding of an uptime, and for clocks of controllers that differ a little. */
const slack = 2000;

/** Whether something with this uptime (`0d:3h:12m:9s`) was certainly not there `ago` milliseconds ago. */
export function cameLater(uptime: string | undefined, ago: number): boolean {
  const parts = /^(\d+)d:(\d+)h:(\d+)m:(\d+)s$/
    .exec(uptime ?? "")
    ?.slice(1)
    .map(Number);
  if (!parts) return false;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts;
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000 + slack < ago;
}
