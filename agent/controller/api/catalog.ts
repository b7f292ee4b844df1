import { type Api, type Call, type Endpoint, get } from "./api.ts";
import { frameworks } from "./appFields.ts";
import { found } from "./errors.ts";
import { by, type Listing, list } from "./list.ts";
import { head } from "./showTenancy.ts";

/** What comes with the cluster and nobody creates: there since the beginning, and the same everywhere. */
interface Fixed {
  guid: string;
  created_at: string;
  updated_at: string;
  name: string;
  position: number;
}

const since = "2012-05-01T00:00:00.000Z";
const fixed = (guid: string, name: string, position = 1): Fixed => ({
  guid,
  created_at: since,
  updated_at: since,
  name,
  position,
});
const noLabels = { labels: {}, annotations: {} };

const listing: Listing<Fixed> = {
  filters: { names: by((one) => one.name) },
  orders: { name: (one) => one.name, position: (one) => one.position },
  labels: () => ({}),
  ignored: ["stacks", "default", "lifecycle", "organization_guids"],
};

export function catalog(api: Api): Endpoint[] {
  const stacks = [fixed("stack-1", api.stack)];
  const buildpacks = frameworks.map((name, at) => fixed(`buildpack-${at + 1}-${name}`, name, at + 1));
  return [
    ...shelf("/v3/stacks", stacks, (one, call) => showStack(one, call)),
    ...shelf("/v3/buildpacks", buildpacks, (one, call) => showBuildpack(one, call, api.stack)),
    ...shelf("/v3/feature_flags", [], (one) => one),
    ...shelf("/v3/isolation_segments", [], (one) => one),
    ...shelf("/v3/security_groups", [], (one) => one),
    ...["running", "staging"].flatMap((name) => [
      get(`/v3/environment_variable_groups/${name}`, ({ href }) => ({
        updated_at: null,
        name,
        var: {},
        links: { self: href(`/v3/environment_variable_groups/${name}`) },
      })),
      get(`/v3/spaces/:guid/${name}_security_groups`, (call) => list<Fixed>([], call, { listing, show: (one) => one })),
    ]),
    // Services are not here yet; clients that list them find none.
    ...[
      "service_instances",
      "service_credential_bindings",
      "service_route_bindings",
      "service_offerings",
      "service_plans",
      "service_brokers",
    ].map((name) => get(`/v3/${name}`, (call) => list<Fixed>([], { ...call, query: {} }, { show: (one) => one }))),
  ];
}

function shelf(path: string, all: readonly Fixed[], show: (one: Fixed, call: Call) => unknown): Endpoint[] {
  return [
    get(path, (call) => list(all, call, { listing, show: (one) => show(one, call) })),
    get(`${path}/:guid`, (call) => {
      const one = all.find(({ guid, name }) => guid === call.params["guid"] || name === call.params["guid"]);
      return show(found(one, titles[path] ?? "Resource"), call);
    }),
  ];
}

const titles: Record<string, string> = {
  "/v3/stacks": "Stack",
  "/v3/buildpacks": "Buildpack",
  "/v3/feature_flags": "Feature flag",
  "/v3/isolation_segments": "Isolation segment",
  "/v3/security_groups": "Security group",
};

const showStack = (one: Fixed, { href }: Call) => ({
  ...head(one),
  name: one.name,
  description: "The operating system of the nodes",
  state: "ACTIVE",
  state_reason: null,
  run_rootfs_image: one.name,
  build_rootfs_image: one.name,
  default: true,
  metadata: noLabels,
  links: { self: href(`/v3/stacks/${one.guid}`) },
});

const showBuildpack = (one: Fixed, { href }: Call, stack: string) => ({
  ...head(one),
  name: one.name,
  stack,
  state: "READY",
  lifecycle: "buildpack",
  filename: null,
  position: one.position,
  enabled: true,
  locked: true,
  metadata: noLabels,
  links: {
    self: href(`/v3/buildpacks/${one.guid}`),
    upload: { ...href(`/v3/buildpacks/${one.guid}/upload`), method: "POST" },
  },
});
