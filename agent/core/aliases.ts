import type { DeaStart } from "../bus/messages/instance.ts";
import type { StagingRequest } from "../bus/messages/staging.ts";
import { subjects } from "../bus/subjects.ts";

export interface Aliases {
  /** Takes from a message which ids belong to which app. `subject` is its name in the table. */
  learn(subject: string, payload: unknown): void;
  /** Every id under which messages speak of an app: itself, its processes, its staging tasks. */
  of(app: string): ReadonlySet<string>;
}

const limit = 20_000;

/** On the bus an instance belongs to a process and a build to a task; a person knows the app. */
export function aliases(): Aliases {
  const apps = new Map<string, Set<string>>();
  const add = (app: unknown, id: string | undefined) => {
    if (typeof app !== "string" || !id) return;
    const ids = apps.get(app) ?? new Set();
    ids.add(id);
    apps.delete(app);
    apps.set(app, ids);
    const [oldest] = apps.keys();
    if (apps.size > limit && oldest !== undefined) apps.delete(oldest);
  };
  return {
    learn(subject, payload) {
      if (subject === subjects.deaUuidStart.name) {
        const { vcap_application, droplet } = payload as DeaStart;
        add(vcap_application?.["application_id"], droplet);
      }
      if (subject === subjects.stager.name || subject === subjects.staging.name) {
        const { app_id, notify_subj } = payload as StagingRequest;
        add(app_id, notify_subj?.slice(notify_subj.lastIndexOf(".") + 1));
      }
    },
    of: (app) => new Set([app, ...(apps.get(app) ?? [])]),
  };
}
