import { type Api, type Call, type Endpoint, early, get, open } from "./api.ts";

/** The newest Cloud Foundry API that this one is modelled on: clients decide by it what to ask for. */
const apiVersion = "3.195.0";

const resources = [
  "apps",
  "audit_events",
  "buildpacks",
  "builds",
  "deployments",
  "domains",
  "droplets",
  "environment_variable_groups",
  "feature_flags",
  "info",
  "isolation_segments",
  "organizations",
  "organization_quotas",
  "packages",
  "processes",
  "resource_matches",
  "roles",
  "routes",
  "security_groups",
  "service_brokers",
  "service_credential_bindings",
  "service_instances",
  "service_offerings",
  "service_plans",
  "service_route_bindings",
  "spaces",
  "stacks",
  "tasks",
  "users",
];

export const info = (api: Api): Endpoint[] => [
  early(get("/", (call) => root(call))),
  open(
    get("/v3", ({ href }) => ({
      links: { self: href("/v3"), ...Object.fromEntries(resources.map((name) => [name, href(`/v3/${name}`)])) },
    })),
  ),
  early(get("/v3/info", (call) => facts(api, call))),
];

function root({ base, href }: Call) {
  const here = { href: base };
  return {
    links: {
      self: here,
      bits_service: null,
      cloud_controller_v2: null,
      cloud_controller_v3: { ...href("/v3"), meta: { version: apiVersion } },
      network_policy_v0: null,
      network_policy_v1: null,
      login: here,
      uaa: here,
      credhub: null,
      routing: null,
      logging: null,
      log_cache: here,
      log_stream: null,
      app_ssh: null,
    },
  };
}

function facts({ version, domain }: Api, { href }: Call) {
  return {
    build: version,
    cli_version: { minimum: "", recommended: "" },
    custom: { domain, license: href("/stackato/license").href },
    description: "tutti: all players together",
    name: "tutti",
    version: 1,
    osbapi_version: "",
    rate_limits: { enabled: false, general_limit: 0, reset_interval_in_minutes: 0 },
    links: { self: href("/v3/info"), support: { href: "" } },
  };
}
