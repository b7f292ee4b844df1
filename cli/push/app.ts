import { hostOf, splitAddress } from "../address.ts";
import type { Api } from "../api.ts";
import type { HealthCheck } from "../appSpec.ts";
import { Fault } from "../fault.ts";
import { processesOf } from "../find.ts";
import type { App, Domain, Droplet, Process, Route } from "../resources.ts";
import { ensureDestination, ensureRoute } from "../routes.ts";
import type { Place } from "../session.ts";
import type { Wanted } from "./wanted.ts";

export interface Ensured {
  app: App;
  created: boolean;
}

/** The app as it should be before it is built: made when it is not there. What an interrupted push left is taken up. */
export async function ensureApp(api: Api, { space }: Place, wanted: Wanted): Promise<Ensured> {
  const there = (await api.all<App>("/v3/apps", { names: wanted.name, space_guids: space.guid }))[0];
  const { buildpacks, stack, env = {} } = wanted;
  const data = { ...(buildpacks && { buildpacks }), ...(stack && { stack }) };
  const lifecycle = Object.keys(data).length ? { type: "buildpack", data } : undefined;
  if (!there) {
    const relationships = { space: { data: { guid: space.guid } } };
    const app = await api.post<App>("/v3/apps", {
      name: wanted.name,
      relationships,
      environment_variables: env,
      ...(lifecycle && { lifecycle }),
    });
    return { app, created: true };
  }
  const app = lifecycle ? await api.patch<App>(`/v3/apps/${there.guid}`, { lifecycle }) : there;
  if (Object.keys(env).length) await api.patch(`/v3/apps/${app.guid}/environment_variables`, { var: env });
  return { app, created: false };
}

/** Gives the app its addresses. Those it has are kept; an app that has some gets no default one. */
export async function ensureRoutes(
  api: Api,
  { space }: Place,
  { app, wanted }: { app: App; wanted: Wanted },
): Promise<Route[]> {
  const there = await api.all<Route>(`/v3/apps/${app.guid}/routes`);
  if (wanted.noRoute) return there;
  const asked = await addresses(api, wanted);
  const urls = asked.length || there.length ? asked : [await defaultAddress(api, wanted)];
  const made: Route[] = [];
  for (const url of urls) {
    const route = await ensureRoute(api, space.guid, url);
    await ensureDestination(api, route, app);
    made.push(route);
  }
  const known = new Set(made.map((route) => route.guid));
  return [...made, ...there.filter((route) => !known.has(route.guid))];
}

async function addresses(api: Api, { urls = [], hosts = [], domains: below, name }: Wanted): Promise<string[]> {
  if (!urls.length && !hosts.length && !below) return [];
  const domains = await api.all<Domain>("/v3/domains");
  const parents = below ?? [ownDomain(domains).name];
  const filled = urls.map((url) =>
    url.replaceAll(/\$\{name\}/g, name).replaceAll(/\$\{target-base\}/g, ownDomain(domains).name),
  );
  const named = hosts.length || !below ? hosts : [hostOf(name)];
  const all = [...filled, ...named.flatMap((host) => parents.map((domain) => `${host}.${domain}`))];
  // All are looked at before the first is made.
  for (const url of all) splitAddress(url, domains);
  return all;
}

async function defaultAddress(api: Api, { name, randomRoute }: Wanted): Promise<string> {
  const { name: domain } = ownDomain(await api.all<Domain>("/v3/domains"));
  const host = hostOf(name);
  if (!host)
    throw new Fault(`no host name can be made of "${name}"`, { code: "bad_host", hint: "give one: --hostname HOST" });
  return `${host}${randomRoute ? `-${Math.random().toString(36).slice(2, 8)}` : ""}.${domain}`;
}

function ownDomain(domains: readonly Domain[]): Domain {
  const own = domains.find((domain) => !domain.internal);
  if (own) return own;
  throw new Fault("the cluster has no domain for apps", { code: "no_domain", hint: "push with --no-route" });
}

/** Numbers, sizes, commands and health checks of the processes. Returns the one whose start decides: web, if there is one. */
export async function ensureProcesses(
  api: Api,
  { app, wanted, droplet }: { app: App; wanted: Wanted; droplet: Droplet },
): Promise<Process> {
  const web = { type: "web", ...webOnly(wanted, droplet) };
  const specs = [
    ...(wanted.processes ?? []).filter((each) => each.type !== "web"),
    { ...web, ...(wanted.processes ?? []).find((each) => each.type === "web"), ...definedOnly(web) },
  ];
  for (const spec of specs) {
    const one = (await processesOf(api, app)).find((each) => each.type === spec.type);
    if (!one)
      throw new Fault(`the app has no process of type ${spec.type}`, {
        code: "no_process",
        hint: `name it in a Procfile: ${spec.type}: COMMAND`,
      });
    await change(api, one, spec);
  }
  const processes = await processesOf(api, app);
  const main =
    processes.find((each) => each.type === "web" && each.instances > 0) ??
    processes.find((each) => each.instances > 0) ??
    processes[0];
  if (!main) throw new Fault(`${app.name} has no process`, { code: "no_process" });
  return main;
}

type Spec = Pick<Wanted, "instances" | "memory" | "disk" | "command" | "health">;

function definedOnly<T extends object>(spec: T): Partial<T> {
  return Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** An app whose droplet has no web process (a worker) gets none, unless one was asked for. */
function webOnly({ instances, memory, disk, command, health }: Wanted, { process_types: types }: Droplet): Spec {
  const none = types && !types["web"] && !command && instances === undefined;
  return { instances: none ? 0 : instances, memory, disk, command, health };
}

/** Only what differs is sent: a change of size or command replaces running instances. */
async function change(api: Api, one: Process, spec: Spec): Promise<void> {
  const full = await api.get<Process>(`/v3/processes/${one.guid}`);
  const health_check = healthOf(full, spec.health);
  const command = spec.command !== undefined && spec.command !== full.command ? { command: spec.command } : {};
  const update = { ...command, ...(health_check && { health_check }) };
  if (Object.keys(update).length) await api.patch(`/v3/processes/${one.guid}`, update);
  const size = { instances: spec.instances, memory_in_mb: spec.memory, disk_in_mb: spec.disk };
  const scaled = Object.entries(size).filter(
    ([key, value]) => value !== undefined && full[key as keyof Process] !== value,
  );
  if (scaled.length) await api.post(`/v3/processes/${one.guid}/actions/scale`, Object.fromEntries(scaled));
}

function healthOf({ health_check: now }: Process, wanted: HealthCheck | undefined): object | undefined {
  if (!wanted) return undefined;
  const { type = now?.type ?? "port", timeout, endpoint } = wanted;
  const same =
    type === now?.type &&
    (timeout === undefined || timeout === now?.data?.timeout) &&
    (endpoint === undefined || endpoint === now?.data?.endpoint);
  if (same) return undefined;
  const data = {
    ...(timeout !== undefined && { timeout }),
    ...(endpoint !== undefined && type === "http" && { endpoint }),
  };
  return { type, ...(Object.keys(data).length && { data }) };
}
