import type { Api, Call } from "./api.ts";
import { badQuery } from "./errors.ts";
import { showDomain, showOrganization, showSpace } from "./showTenancy.ts";

interface Within {
  space?: string;
  domain?: string;
  organization?: string;
}

/** `include`: the records around those of the page, each once. Undefined when the query asks for none. */
export function included(api: Api, call: Call, { of, names }: { of: readonly Within[]; names: readonly string[] }) {
  const asked = call.query["include"]?.split(/,\s*/);
  if (!asked) return {};
  for (const name of asked)
    if (!names.includes(name))
      throw badQuery(`Invalid included resource: '${name}'. Valid included resources are: '${names.join("', '")}'`);
  const { tables } = api;
  const spaces = once(of.map(({ space }) => space)).flatMap((guid) => tables.spaces.get(guid) ?? []);
  const owners = [...spaces.map((space) => space.organization), ...of.map(({ organization }) => organization)];
  const organizations = once(owners).flatMap((guid) => tables.organizations.get(guid) ?? []);
  const domains = once(of.map(({ domain }) => domain)).flatMap((guid) => tables.domains.get(guid) ?? []);
  const wants = (...which: string[]) => asked.some((name) => which.includes(name));
  return {
    included: {
      ...(wants("space", "space.organization") && { spaces: spaces.map((one) => showSpace(one, call)) }),
      ...(wants("org", "organization", "space.organization") && {
        organizations: organizations.map((one) => showOrganization(one, call)),
      }),
      ...(wants("domain") && { domains: domains.map((one) => showDomain(one, call)) }),
    },
  };
}

const once = (guids: readonly (string | undefined)[]) => [...new Set(guids.flatMap((guid) => guid ?? []))];
