import type { User } from "../records.ts";
import { type Api, type Call, type Endpoint, get } from "./api.ts";
import { found } from "./errors.ts";
import { by, type Listing, list } from "./list.ts";
import { head } from "./showTenancy.ts";

const listing: Listing<User> = {
  filters: {
    usernames: (one, values) => values.some((value) => value.toLowerCase() === one.username.toLowerCase()),
    partial_usernames: (one, values) =>
      values.some((value) => one.username.toLowerCase().includes(value.toLowerCase())),
    origins: by(() => "uaa"),
  },
  labels: () => ({}),
};

export const users = (api: Api): Endpoint[] => [
  get("/v3/users", (call) => list(api.tables.users.all(), call, { listing, show: (one) => showUser(one, call) })),
  get("/v3/users/:guid", async (call) =>
    showUser(found(await api.tables.users.find(call.params["guid"] ?? ""), "User"), call),
  ),
];

export const showUser = (one: User, { href }: Call) => ({
  ...head(one),
  username: one.username,
  presentation_name: one.username,
  origin: "uaa",
  metadata: { labels: {}, annotations: {} },
  links: { self: href(`/v3/users/${one.guid}`) },
});
