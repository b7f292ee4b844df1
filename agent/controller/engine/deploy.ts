import type { App, Droplet, Process } from "../records.ts";
import type { Tables } from "../tables.ts";
import type { Batch } from "./launch.ts";
import type { EngineOptions } from "./options.ts";
import { signed, validFor } from "./signed.ts";
import { startMessage } from "./startMessage.ts";
import { urisOf } from "./uris.ts";

type Staged = Droplet & { sha1: string };

/** The tarball a process runs: its own while a deployment rolls, else the app's. Undefined when there is none yet. */
export function dropletOf(tables: Tables, process: Process, app: App): Staged | undefined {
  const guid = process.droplet ?? app.droplet;
  const droplet = guid ? tables.droplets.get(guid) : undefined;
  return droplet?.state === "STAGED" && droplet.sha1 ? { ...droplet, sha1: droplet.sha1 } : undefined;
}

/** The process, its app and its droplet, when instances of it should run now. */
export function runnable(tables: Tables, guid: string) {
  const process = tables.processes.get(guid);
  const app = process && tables.apps.get(process.app);
  const droplet = app && dropletOf(tables, process, app);
  return droplet && app.state === "STARTED" ? { process, app, droplet } : undefined;
}

/** What the launcher needs to start instances of a process. Each message is made from the state of its moment. */
export function batchOf(
  options: Pick<EngineOptions, "tables" | "keys" | "url" | "domain">,
  begun: Process,
  flapping = false,
) {
  const { tables } = options;
  const now = runnable(tables, begun.guid);
  if (!now) return undefined;
  const batch: Batch = {
    droplet: begun.guid,
    name: now.app.name,
    version: begun.version,
    sha: now.droplet.sha1,
    memory: begun.memory_in_mb,
    disk: begun.disk_in_mb,
    stack: now.app.stack,
    message(index) {
      const facts = runnable(tables, begun.guid);
      if (!facts || facts.process.version !== begun.version || index >= facts.process.instances) return undefined;
      return startMessage(factsOf(options, facts), index, flapping);
    },
  };
  return batch;
}

function factsOf(
  { tables, keys, url, domain }: Pick<EngineOptions, "tables" | "keys" | "url" | "domain">,
  { process, app, droplet }: { process: Process; app: App; droplet: Staged },
) {
  const space = tables.spaces.get(app.space);
  const path = `/staged_droplets/${process.guid}/${droplet.sha1}`;
  return {
    process,
    app,
    droplet,
    space,
    organization: space && tables.organizations.get(space.organization),
    uris: urisOf(tables, app, process),
    executableUri: `${url()}${signed(keys.urls, path, Date.now() + validFor.droplet)}`,
    api: `http://api.${domain}`,
  };
}
