import type { StagingRequest } from "../../bus/messages/staging.ts";
import type { App, Build, Package, Process } from "../records.ts";
import { signed, validFor } from "./signed.ts";

/** Everything a staging request is made of. */
export interface StagingFacts {
  build: Build;
  pkg: Pick<Package, "guid">;
  app: App;
  web: Process | undefined;
  droplet: string;
  base: string;
  key: string;
  /** Milliseconds. */
  now: number;
}

/** The task's name on the bus. It follows from the build, so that a controller that comes back hears an answer to its predecessor. */
export const taskOf = (build: Pick<Build, "guid">): string => build.guid.replace(/[^A-Za-z0-9]/g, "").toLowerCase();

export function stagingRequest({ build, pkg, app, web, droplet, base, key, now }: StagingFacts): StagingRequest {
  const address = (path: string) => `${base}${signed(key, path, now + validFor.staging)}`;
  return {
    app_id: app.guid,
    properties: {
      services: [],
      framework: build.buildpacks[0] ?? app.buildpacks[0] ?? "",
      runtime: "",
      resources: { mem: build.memory_in_mb, disk: build.disk_in_mb, fds: 1024 },
      environment: Object.entries(app.env).map(([name, value]) => `${name}=${value}`),
      meta: { command: web?.command },
    },
    download_uri: address(`/staging/app/${pkg.guid}`),
    upload_uri: address(`/staging/droplet/${droplet}`),
    notify_subj: `cc.staging.${taskOf(build)}`,
  };
}
