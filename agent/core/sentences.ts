import type { InstanceFilter } from "../bus/messages/instance.ts";
import type { StagingResult } from "../bus/messages/staging.ts";
import type { Subject } from "../bus/subject.ts";
import type { subjects } from "../bus/subjects.ts";

/** What a message says. */
export interface Said {
  what: string;
  from?: string;
  /** The ids of apps and processes it is about. */
  ids: readonly string[];
}

export type Table = typeof subjects;
export type Payload<K extends keyof Table> = Table[K] extends Subject<infer P, infer _R> ? P : never;
/** How each message is told; the second argument is its concrete subject. */
export type Sentences = { [K in keyof Table]?: (payload: Payload<K>, subject: string) => Said | undefined };

/** Ids are long: their beginning is enough to tell them apart. */
export function short(id: string): string {
  return id.length > 8 ? `${id.slice(0, 6)}…` : id;
}

const lastToken = (subject: string) => subject.slice(subject.lastIndexOf(".") + 1);
const counted = (values: readonly (string | number)[]) => `instance${values.length > 1 ? "s" : ""} ${list(values)}`;
const list = (values: readonly (string | number)[]) => values.join(", ");

function chosen({ indices, instances, instance_ids, states, version }: InstanceFilter): string {
  const named = [...(instances ?? []), ...(instance_ids ?? [])];
  if (indices?.length) return counted(indices);
  if (named.length) return counted([...new Set(named)].map(short));
  if (states?.length) return `the instances that are ${list(states)}`;
  return version ? `all instances of version ${short(version)}` : "all instances";
}

/** The one-time messages; those that are repeated on a timer are told by `softState`, once. */
export const sentences: Sentences = {
  dropletUpdated: ({ droplet }) => ({ ids: [droplet], what: "controller tells that what is desired has changed" }),
  deaDiscover: ({ droplet, limits }) => ({ ids: [droplet], what: `controller asks all DEAs for ${limits.mem} MiB` }),
  deaUuidStart(start, subject) {
    const dea = short(subject.split(".")[1] ?? "");
    const name = start.vcap_application?.["application_name"] ?? start.name;
    const app = start.vcap_application?.["application_id"];
    const ids = [start.droplet, ...(typeof app === "string" ? [app] : [])];
    return {
      ids,
      what: `controller tells DEA ${dea} to start instance ${start.index} of ${name} (${start.limits.mem} MiB)`,
    };
  },
  deaStop: (filter) => ({ ids: [filter.droplet], what: `controller tells all DEAs to stop ${chosen(filter)}` }),
  deaUpdate: ({ droplet, uris }) => ({
    ids: [droplet],
    what: `controller tells all DEAs the routes: ${list(uris) || "none"}`,
  }),
  deaFindDroplet: (filter) => ({ ids: [filter.droplet], what: `controller asks all DEAs for ${chosen(filter)}` }),
  dropletExited: ({ droplet, index, reason, exit_status, exit_description }) => ({
    ids: [droplet],
    what: `a DEA reports the end of instance ${index}: ${reason}, exit status ${exit_status}${exit_description && ` (${exit_description})`}`,
  }),
  healthmanagerHealth: ({ droplets }) => ({
    ids: droplets.map(({ droplet }) => droplet),
    what: "controller asks how many instances run",
  }),
  healthmanagerStatus: ({ droplet, state }) => ({
    ids: [droplet],
    what: `controller asks which instances are ${state}`,
  }),
  hmRequests: told,
  hmRequestsPartition: told,
  ccEvents: (event) => ({
    ids: event.filter((part): part is string => typeof part === "string"),
    what: `controller records: ${list(event.filter((part) => typeof part === "string").slice(0, 6) as string[])}`,
  }),
  stager: ({ app_id }, subject) => ({
    ids: [app_id],
    what: `controller asks the stagers (queue ${lastToken(subject)}) to build`,
  }),
  staging: ({ app_id }) => ({ ids: [app_id], what: "controller asks the stagers to build" }),
  stagingDone: (result) => ({ ids: [result.task_id], what: staged(result) }),
};

function told({ op, droplet, indices, instances, flapping }: Payload<"hmRequests">): Said {
  const chosen = indices ?? instances?.map(short);
  const which = chosen ? counted(chosen) : "everything";
  const verb = op === "START" ? "start" : "stop";
  const why = flapping ? ", which keep crashing" : "";
  return { ids: [droplet], what: `health manager asks the controller to ${verb} ${which}${why}` };
}

function staged({ error, detected_buildpack, droplet_sha1 }: StagingResult): string {
  if (error) return "stager reports that the build failed";
  const kind = detected_buildpack ? ` (${detected_buildpack})` : "";
  return `stager reports a droplet${kind}${droplet_sha1 ? `, sha1 ${short(droplet_sha1)}` : ""}`;
}
