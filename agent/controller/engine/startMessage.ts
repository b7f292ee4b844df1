import type { DeaStart } from "../../bus/messages/instance.ts";
import type { App, Droplet, Organization, Process, Space } from "../records.ts";
import { asRunning } from "../running.ts";

/** Everything a start message is made of. */
export interface StartFacts {
  process: Process;
  app: App;
  droplet: Droplet & { sha1: string };
  space: Space | undefined;
  organization: Organization | undefined;
  uris: string[];
  /** Signed address of the tarball. */
  executableUri: string;
  /** Address of the API for apps that talk to it. */
  api: string;
}

const fds = 1024;

/** The start message for one slot: the superset that every generation of DEA accepts. */
export function startMessage(facts: StartFacts, index: number, flapping = false): DeaStart {
  const { app, droplet, uris, executableUri } = facts;
  const process = asRunning(facts.process);
  const { endpoint, type, timeout } = process.health_check;
  return {
    droplet: process.guid,
    name: safeName(app.name),
    index,
    version: process.version,
    uris,
    sha1: droplet.sha1,
    // A DEA of 2012 drops a start in silence when this is missing, although nothing uses it any more.
    executableFile: "deprecated",
    executableUri,
    runtime: "",
    framework: droplet.detected_framework ?? "",
    stack: app.stack,
    prod: false,
    services: [],
    limits: { mem: process.memory_in_mb, disk: process.disk_in_mb, fds },
    env: Object.entries(app.env).map(([key, value]) => `${key}=${value}`),
    users: [],
    cc_partition: "default",
    console: false,
    flapping: flapping || undefined,
    start_command: process.command ?? droplet.process_types[process.type],
    health_check_timeout: timeout,
    health_check: { type, endpoint },
    vcap_application: vcapApplication({ ...facts, process }),
  };
}

function vcapApplication({ process, app, space, organization, uris, api }: StartFacts): Record<string, unknown> {
  return {
    application_id: app.guid,
    application_name: app.name,
    name: app.name,
    application_uris: uris,
    uris,
    space_id: app.space,
    space_name: space?.name,
    organization_id: organization?.guid,
    organization_name: organization?.name,
    process_id: process.guid,
    process_type: process.type,
    cf_api: api,
    limits: { mem: process.memory_in_mb, disk: process.disk_in_mb, fds },
  };
}

/** The name becomes part of a directory's name on the DEA. */
function safeName(name: string): string {
  return name.replace(/[^A-Za-z0-9_.-]/g, "_").replace(/^\.+/, "_") || "app";
}
