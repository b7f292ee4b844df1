import type { Bus } from "../../bus/bus.ts";
import { at } from "../../bus/subject.ts";
import { subjects } from "../../bus/subjects.ts";

/** What the controller says unasked: lines in an app's log, the audit trail, hints to the health manager. */
export interface Voice {
  line(app: string, text: string): void;
  audit(entry: readonly unknown[]): void;
  /** An action of the cluster itself: `[time, "SYSTEM", action, object, outcome]`. */
  system(action: string, object: string, outcome: string): void;
  updated(process: string): void;
}

export function voice(bus: Bus): Voice {
  const audit = (entry: readonly unknown[]) => bus.publish(subjects.ccEvents, [...entry]);
  return {
    line(app, text) {
      const lines = [{ at: Date.now(), text }];
      bus.publish(at(subjects.log, { app }), { app, source: "API", instance: "", lines });
    },
    audit,
    system: (action, object, outcome) => audit([new Date().toISOString(), "SYSTEM", action, object, outcome]),
    updated: (process) => bus.publish(subjects.dropletUpdated, { droplet: process, cc_partition: "default" }),
  };
}
