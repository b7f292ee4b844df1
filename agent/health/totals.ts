import { fills } from "./actual.ts";
import { flaps } from "./answers.ts";
import type { Mind } from "./mind.ts";
import { startable } from "./starts.ts";

/** The figures of the first health manager's varz; −1 for what is not known before the first full analysis. */
export function totals(mind: Mind): Record<string, unknown> {
  const known = mind.analyses > 0;
  const sum = { apps: 0, started: 0, instances: 0, memory: 0, running: 0, missing: 0, flapping: 0, crashed: 0 };
  for (const desired of mind.wanted.all()) {
    sum.apps++;
    const app = mind.picture.apps.get(desired.droplet);
    sum.crashed += app?.crashes.size ?? 0;
    if (!startable(desired)) continue;
    const mine = [...(app?.instances.values() ?? [])].filter((one) => one.version === desired.version && fills(one));
    const filled = new Set(mine.map(({ index }) => index).filter((index) => index < desired.instances));
    sum.started++;
    sum.instances += desired.instances;
    sum.memory += desired.memory * desired.instances;
    sum.running += mine.filter((one) => one.state === "RUNNING").length;
    sum.missing += desired.instances - filled.size;
    sum.flapping +=
      app?.slots
        .values()
        .filter((slot) => flaps(slot, app, mind.times))
        .toArray().length ?? 0;
  }
  return {
    total_apps: sum.apps,
    started_apps: sum.started,
    total_instances: sum.instances,
    total_memory: sum.memory,
    running_instances: known ? sum.running : -1,
    crashed_instances: known ? sum.crashed : -1,
    down_instances: known ? sum.missing : -1,
    missing_instances: known ? sum.missing : -1,
    flapping_instances: known ? sum.flapping : -1,
    known_deas: mind.picture.deas.size,
    queue_length: mind.queue.length,
  };
}
