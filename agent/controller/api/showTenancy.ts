import type { Domain, Organization, Space } from "../records.ts";
import type { Call } from "./api.ts";
import { stamp } from "./fresh.ts";

type Links = Pick<Call, "href">;

/** The beginning of every resource. */
export const head = ({ guid, created_at, updated_at }: { guid: string; created_at: string; updated_at: string }) => ({
  guid,
  created_at: stamp(created_at),
  updated_at: stamp(updated_at),
});

export const relation = (guid: string | undefined) => ({ data: guid === undefined ? null : { guid } });

/** The one quota there is: none at all. Clients want a guid to ask for. */
export const quotaGuid = "unlimited";

export function showOrganization(one: Organization, { href }: Links) {
  const self = `/v3/organizations/${one.guid}`;
  return {
    ...head(one),
    name: one.name,
    suspended: one.suspended,
    relationships: { quota: relation(quotaGuid) },
    metadata: one.metadata,
    links: {
      self: href(self),
      domains: href(`${self}/domains`),
      default_domain: href(`${self}/domains/default`),
      quota: href(`/v3/organization_quotas/${quotaGuid}`),
    },
  };
}

export function showSpace(one: Space, { href }: Links) {
  const self = `/v3/spaces/${one.guid}`;
  return {
    ...head(one),
    name: one.name,
    suspended: false,
    relationships: { organization: relation(one.organization), quota: relation(undefined) },
    metadata: one.metadata,
    links: {
      self: href(self),
      organization: href(`/v3/organizations/${one.organization}`),
      features: href(`${self}/features`),
      apply_manifest: { ...href(`${self}/actions/apply_manifest`), method: "POST" },
    },
  };
}

export function showDomain(one: Domain, { href }: Links) {
  const self = `/v3/domains/${one.guid}`;
  return {
    ...head(one),
    name: one.name,
    internal: one.internal,
    router_group: null,
    supported_protocols: ["http"],
    relationships: { organization: relation(one.organization), shared_organizations: { data: [] } },
    metadata: one.metadata,
    links: {
      self: href(self),
      route_reservations: href(`${self}/route_reservations`),
      ...(one.organization && {
        organization: href(`/v3/organizations/${one.organization}`),
        shared_organizations: href(`${self}/relationships/shared_organizations`),
      }),
    },
  };
}
