import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { App, Route } from "../records.ts";
import { type Api, type Call, type Endpoint, get, nothing, patch, post, remove } from "./api.ts";
import { appTarget, audit } from "./audit.ts";
import { parse } from "./body.ts";
import { unprocessable } from "./errors.ts";
import { routeOf } from "./routes.ts";
import { showDestination, showDestinations, urlOf } from "./showRoute.ts";

type Destination = Route["destinations"][number];

const destination = z.strictObject({
  app: z.strictObject({ guid: z.string(), process: z.strictObject({ type: z.string() }).nullish() }),
  port: z.int().min(1024).max(65_535).nullish(),
  weight: z.null({ error: "is not supported here" }).optional(),
  protocol: z.enum(["http1"], { error: "must be http1: http2 to instances is not supported here" }).nullish(),
});
const creation = z.strictObject({
  destinations: z
    .array(destination)
    .min(1, "must contain at least one destination")
    .max(100, "must contain at most 100"),
});
const replacement = z.strictObject({ destinations: z.array(destination).max(100, "must contain at most 100") });
const update = z.strictObject({ protocol: z.enum(["http1"], { error: "must be http1" }).nullish() });

export const destinations = (api: Api): Endpoint[] => [
  get("/v3/routes/:guid/destinations", async (call) => showDestinations(await routeOf(api, call), call)),
  post("/v3/routes/:guid/destinations", async (call) => {
    const wanted = parse(creation, call.body).destinations.map(toRecord);
    return showDestinations(
      await change(api, call, (old) => [...old, ...wanted.filter((one) => !old.some(same(one)))]),
      call,
    );
  }),
  patch("/v3/routes/:guid/destinations", async (call) => {
    const wanted = parse(replacement, call.body).destinations.map(toRecord);
    return showDestinations(await change(api, call, (old) => wanted.map((one) => old.find(same(one)) ?? one)), call);
  }),
  patch("/v3/routes/:guid/destinations/:destination", async (call) => {
    const route = await routeOf(api, call);
    parse(update, call.body);
    return showDestination(destinationOf(route, call), route);
  }),
  remove("/v3/routes/:guid/destinations/:destination", async (call) => {
    const { guid } = destinationOf(await routeOf(api, call), call);
    await change(api, call, (old) => old.filter((one) => one.guid !== guid));
    return nothing();
  }),
];

function destinationOf({ destinations }: Route, { params }: Call): Destination {
  const one = destinations.find(({ guid }) => guid === params["destination"]);
  if (!one)
    throw unprocessable("Unable to unmap route from destination. Ensure the route has a destination with this guid.");
  return one;
}

const toRecord = ({ app, port }: z.output<typeof destination>): Destination => ({
  guid: randomUUID(),
  app: app.guid,
  process_type: app.process?.type ?? "web",
  ...(port && { port }),
});

const same = (one: Destination) => (other: Destination) =>
  one.app === other.app && one.process_type === other.process_type && one.port === other.port;

type Change = (old: Destination[]) => Destination[];

async function change(api: Api, call: Call, how: Change): Promise<Route> {
  return await mapRoute(api, call, { route: await routeOf(api, call), how });
}

/** Changes where a route leads, and tells those who serve it: the apps it leads to now and those it led to. */
export async function mapRoute(api: Api, call: Call, { route, how }: { route: Route; how: Change }): Promise<Route> {
  const wanted = how(route.destinations);
  for (const guid of new Set(wanted.map((one) => one.app))) checkApp(await api.tables.apps.find(guid), route);
  let before: Destination[] = [];
  const changed = await api.tables.routes.update(route.guid, (old) => {
    before = old.destinations;
    return { ...old, destinations: how(old.destinations) };
  });
  const apps = (of: Destination[]) => new Set(of.map((one) => one.app));
  const [was, is] = [apps(before), apps(changed.destinations)];
  for (const guid of was.union(is)) {
    const app = api.tables.apps.get(guid);
    if (!app) continue;
    await api.engine.routesChanged(app);
    if (was.has(guid) !== is.has(guid)) await record(api, call, { app, route: changed, mapped: is.has(guid) });
  }
  return changed;
}

function checkApp(app: App | undefined, route: Route): void {
  if (!app) throw unprocessable("App(s) with guid(s) of the destinations do not exist or you do not have access.");
  if (app.space !== route.space) throw unprocessable("Routes cannot be mapped to destinations in different spaces.");
}

async function record(api: Api, call: Call, { app, route, mapped }: { app: App; route: Route; mapped: boolean }) {
  const type = mapped ? "audit.app.map-route" : "audit.app.unmap-route";
  const url = urlOf(route, api.tables);
  await audit(api, call, { type, target: appTarget(app), data: { route_guid: route.guid, route: url } });
  api.engine.log(app.guid, `${mapped ? "Mapped" : "Unmapped"} route ${url}`);
}

export const destinationTo = (app: string, process_type = "web"): Destination => ({
  guid: randomUUID(),
  app,
  process_type,
});
export const isSame = same;
