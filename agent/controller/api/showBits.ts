import type { Build, Droplet, Package } from "../records.ts";
import type { Tables } from "../tables.ts";
import type { Call } from "./api.ts";
import { head, relation } from "./showTenancy.ts";

type Links = Pick<Call, "href">;

export function showPackage(one: Package, { href }: Links) {
  const self = `/v3/packages/${one.guid}`;
  return {
    ...head(one),
    type: "bits",
    data: { error: one.error ?? null, checksum: { type: "sha256", value: one.sha256 ?? null } },
    state: one.state,
    relationships: { app: relation(one.app) },
    metadata: one.metadata,
    links: {
      self: href(self),
      upload: { ...href(`${self}/upload`), method: "POST" },
      download: href(`${self}/download`),
      app: href(`/v3/apps/${one.app}`),
    },
  };
}

export function showBuild(one: Build, { href }: Links, { droplets, users }: Pick<Tables, "droplets" | "users">) {
  const droplet = one.droplet === undefined ? undefined : droplets.get(one.droplet);
  const done = droplet && droplet.state !== "AWAITING_UPLOAD" ? droplet.guid : undefined;
  const by = users.get(one.created_by)?.username ?? null;
  return {
    ...head(one),
    state: one.state,
    staging_memory_in_mb: one.memory_in_mb,
    staging_disk_in_mb: one.disk_in_mb,
    staging_log_rate_limit_bytes_per_second: -1,
    error: one.error ?? null,
    lifecycle: { type: "buildpack", data: { buildpacks: one.buildpacks, stack: one.stack } },
    package: { guid: one.package },
    droplet: done === undefined ? null : { guid: done },
    created_by: { guid: one.created_by, name: by, email: by },
    relationships: { app: relation(one.app) },
    metadata: one.metadata,
    links: {
      self: href(`/v3/builds/${one.guid}`),
      app: href(`/v3/apps/${one.app}`),
      ...(done && { droplet: href(`/v3/droplets/${done}`) }),
    },
  };
}

export function showDroplet(one: Droplet, { href }: Links) {
  const self = `/v3/droplets/${one.guid}`;
  const { sha256, detected_framework: framework } = one;
  return {
    ...head(one),
    state: one.state,
    error: one.error ?? null,
    lifecycle: { type: "buildpack", data: {} },
    checksum: sha256 ? { type: "sha256", value: sha256 } : null,
    buildpacks: framework
      ? [{ name: framework, detect_output: framework, buildpack_name: framework, version: null }]
      : [],
    stack: one.stack,
    image: null,
    execution_metadata: one.execution_metadata,
    process_types: one.process_types,
    relationships: { app: relation(one.app) },
    metadata: one.metadata,
    links: {
      self: href(self),
      app: href(`/v3/apps/${one.app}`),
      assign_current_droplet: { ...href(`/v3/apps/${one.app}/relationships/current_droplet`), method: "PATCH" },
      ...(one.package && { package: href(`/v3/packages/${one.package}`) }),
      ...(one.state === "STAGED" && { download: href(`${self}/download`) }),
    },
  };
}
