import type { Event } from "../records.ts";
import { type Api, type Call, type Endpoint, get } from "./api.ts";
import { found } from "./errors.ts";
import { by, type Listing, list } from "./list.ts";
import { head } from "./showTenancy.ts";

const listing: Listing<Event> = {
  filters: {
    types: by((one) => one.type),
    target_guids: by((one) => one.target.guid),
    space_guids: by((one) => one.space),
    organization_guids: by((one) => one.organization),
  },
};

export const events = (api: Api): Endpoint[] => [
  get("/v3/audit_events", (call) =>
    list(api.tables.events.all(), call, { listing, show: (one) => showEvent(one, call) }),
  ),
  get("/v3/audit_events/:guid", async (call) =>
    showEvent(found(await api.tables.events.find(call.params["guid"] ?? ""), "Event"), call),
  ),
];

const showEvent = (one: Event, { href }: Call) => ({
  ...head(one),
  type: one.type,
  actor: one.actor,
  target: one.target,
  data: one.data,
  space: one.space ? { guid: one.space } : null,
  organization: one.organization ? { guid: one.organization } : null,
  links: { self: href(`/v3/audit_events/${one.guid}`) },
});
