import { z } from "zod";
import type { Process } from "../records.ts";
import { changedLater } from "../running.ts";
import { Answer, type Api, type Call, type Endpoint, get, nothing, patch, post, remove } from "./api.ts";
import { appOf } from "./apps.ts";
import { appTarget, audit } from "./audit.ts";
import { changed, metadataChange, parse } from "./body.ts";
import { found, unprocessable } from "./errors.ts";
import { by, type Listing, list } from "./list.ts";
import { converge, processesOf, processOfType, rolling } from "./renewal.ts";
import { commandOf, hidden, showProcess } from "./showApp.ts";
import { showStats } from "./stats.ts";

const most = 2 ** 31 - 1;
const tooMany = `must be less than or equal to ${most}`;
const seconds = z.int("must be an integer").min(1, "must be greater than or equal to 1").max(most, tooMany);
const update = z.strictObject({
  command: z
    .string()
    .min(1, "must be between 1 and 4096 characters")
    .max(4096, "must be between 1 and 4096 characters")
    .nullish(),
  user: z.null().optional(),
  health_check: z
    .strictObject({
      type: z.enum(["port", "process", "http"], { error: 'must be "port", "process", or "http"' }).optional(),
      data: z
        .strictObject({
          timeout: seconds.nullish(),
          invocation_timeout: seconds.nullish(),
          interval: seconds.nullish(),
          endpoint: z.string().max(255).startsWith("/", "must be a valid URI path").nullish(),
        })
        .optional(),
    })
    .optional(),
  readiness_health_check: z.unknown().optional(),
  metadata: metadataChange,
});
type Update = z.output<typeof update>;

const count = z
  .int("is not a number")
  .min(0, "must be greater than or equal to 0")
  .max(10_000, "must be less than or equal to 10000");
const size = z.int("is not a number").min(1, "must be greater than 0").max(most, tooMany);
const scaling = z.strictObject({
  instances: count.nullish(),
  memory_in_mb: size.nullish(),
  disk_in_mb: size.nullish(),
  log_rate_limit_in_bytes_per_second: z.int().min(-1).nullish(),
});
export type Scaling = z.output<typeof scaling>;

const listing = (api: Api): Listing<Process> => ({
  filters: {
    types: by((one) => one.type),
    app_guids: by((one) => one.app),
    space_guids: by((one) => api.tables.apps.get(one.app)?.space),
    organization_guids: by((one) => api.tables.spaces.get(api.tables.apps.get(one.app)?.space ?? "")?.organization),
  },
  labels: (one) => one.metadata.labels,
  ignored: ["embed"],
});

/** Each of these is there by the process's own guid, and by app and type. */
const doors = ["/v3/processes/:guid", "/v3/apps/:guid/processes/:type"] as const;

export const processes = (api: Api): Endpoint[] => [
  get("/v3/processes", (call) => index(api, call, api.tables.processes.all())),
  get("/v3/apps/:guid/processes", async (call) => index(api, call, processesOf(api, (await appOf(api, call)).guid))),
  ...doors.flatMap((door) => [
    get(door, async (call) => show(api, call, await processOf(api, call))),
    patch(door, async (call) => {
      const process = await processOf(api, call);
      return show(api, call, await updateProcess(api, call, { process, asked: parse(update, call.body) }));
    }),
    post(`${door}/actions/scale`, async (call) => {
      const process = await processOf(api, call);
      const one = await scaleProcess(api, call, { process, asked: parse(scaling, call.body) });
      return new Answer(202, show(api, call, one));
    }),
    get(`${door}/stats`, async (call) => {
      const one = await processOf(api, call);
      return showStats(one, await api.engine.instances(one));
    }),
    get(`${door}/process_instances`, async (call) => {
      const one = await processOf(api, call);
      const instances = await api.engine.instances(one);
      const resources = instances.map(({ index, state, since }) => ({ index, state, since }));
      return { resources, links: { self: call.href(call.request.url) } };
    }),
    remove(`${door}/instances/:index`, async (call) => stopInstance(api, call, await processOf(api, call))),
  ]),
  // None here, but clients ask.
  get("/v3/processes/:guid/sidecars", async (call) => {
    await processOf(api, call);
    return list<Process>([], call, { show: (one) => one });
  }),
];

export async function processOf(api: Api, call: Call): Promise<Process> {
  const { guid = "", type } = call.params;
  if (type === undefined) return found(await api.tables.processes.find(guid), "Process");
  const app = await appOf(api, call);
  return found(processOfType(api, app.guid, type), "Process");
}

function index(api: Api, call: Call, all: Process[]) {
  return list(all, call, {
    listing: listing(api),
    show: (one) => {
      const command = commandOf(one, api.tables) === undefined ? undefined : hidden;
      return showProcess(one, call, { space: api.tables.apps.get(one.app)?.space ?? "", command });
    },
  });
}

function show(api: Api, call: Call, one: Process) {
  const space = api.tables.apps.get(one.app)?.space ?? "";
  return showProcess(one, call, { space, command: commandOf(one, api.tables) });
}

interface Wish<T> {
  process: Process;
  asked: T;
}

/** What runs goes on with what it has, until it is started again or a deployment takes its place. */
export async function updateProcess(api: Api, call: Call, { process, asked }: Wish<Update>): Promise<Process> {
  const { guid, app, type } = process;
  if (type === "web" && rolling(api, app))
    throw unprocessable("Cannot update this process while a deployment is in flight.");
  const one = await api.tables.processes.update(guid, (old) => {
    const command = asked.command === undefined ? old.command : (asked.command ?? undefined);
    const metadata = changed(old.metadata, asked.metadata);
    return changedLater(old, { command, health_check: health(old, asked), metadata });
  });
  const { metadata: _, ...request } = asked;
  await record(api, call, {
    process: one,
    deed: "update",
    request: { ...request, command: request.command ? "[PRIVATE DATA HIDDEN]" : undefined },
  });
  return one;
}

function health({ health_check: old }: Process, { health_check: asked }: Update): Process["health_check"] {
  const { endpoint, timeout, invocation_timeout } = asked?.data ?? {};
  const type = asked?.type ?? old.type;
  return {
    type,
    endpoint: type !== "http" ? undefined : endpoint === undefined ? (old.endpoint ?? "/") : (endpoint ?? "/"),
    timeout: timeout === undefined ? old.timeout : (timeout ?? undefined),
    invocation_timeout: invocation_timeout === undefined ? old.invocation_timeout : (invocation_timeout ?? undefined),
  };
}

/** The number of instances counts at once; other sizes wait for the next start, restart or deployment. */
export async function scaleProcess(api: Api, call: Call, { process, asked }: Wish<Scaling>): Promise<Process> {
  const { guid, app, type } = process;
  if (type === "web" && rolling(api, app))
    throw unprocessable("Cannot scale this process while a deployment is in flight.");
  const one = await api.tables.processes.update(guid, (old) => {
    const { instances, memory_in_mb, disk_in_mb } = old;
    return changedLater(old, {
      instances: asked.instances ?? instances,
      memory_in_mb: asked.memory_in_mb ?? memory_in_mb,
      disk_in_mb: asked.disk_in_mb ?? disk_in_mb,
    });
  });
  await record(api, call, { process: one, deed: "scale", request: { ...asked } });
  if (api.tables.apps.get(app)?.state === "STARTED") await converge(api, [one]);
  return one;
}

async function stopInstance(api: Api, call: Call, one: Process) {
  const index = Number(call.params["index"]);
  found(Number.isInteger(index) && index >= 0 && index < one.instances ? index : undefined, "Instance");
  await api.engine.stopInstance(one, index);
  await record(api, call, { process: one, deed: "terminate_instance", request: { process_index: index } });
  return nothing();
}

interface Deed {
  process: Process;
  deed: string;
  request: Record<string, unknown>;
}

async function record(api: Api, call: Call, { process, deed, request }: Deed): Promise<void> {
  const app = api.tables.apps.get(process.app);
  if (!app) return;
  const data = { process_guid: process.guid, process_type: process.type, request };
  await audit(api, call, { type: `audit.app.process.${deed}`, target: appTarget(app), data });
  api.engine.log(app.guid, `Process of type ${process.type}: ${deed.replace("_", " ")} ${JSON.stringify(request)}`);
}
