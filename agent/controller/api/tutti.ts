import { Answer, type Api, type Call, type Endpoint, early, get } from "./api.ts";
import { appOf } from "./apps.ts";
import { found } from "./errors.ts";
import { notLicensed } from "./gate.ts";
import { readiness } from "./readiness.ts";

/** What Cloud Foundry has no word for: nodes, roles, components, and whether all of it is well. */
export const tutti = (api: Api): Endpoint[] => [
  get("/tutti/nodes", () => ({ resources: api.engine.nodes() })),
  get("/tutti/nodes/:id", ({ params }) =>
    found(
      api.engine.nodes().find(({ id }) => id === params["id"]),
      "Node",
    ),
  ),
  get("/tutti/roles", () => ({ resources: rolesOf(api) })),
  get("/tutti/components", async () => ({ resources: await api.engine.components() })),
  get("/tutti/status", () => status(api)),
  get("/tutti/running", (call) => running(api, call)),
  early(get("/tutti/ready", () => ready(api))),
  // By guid, or by name when only one app has it.
  get("/tutti/trace/:guid", async (call) => ({ resources: await api.engine.trace(await traced(api, call)) })),
];

function rolesOf({ engine }: Api) {
  const holders = Map.groupBy(
    engine.nodes().flatMap(({ id, roles }) => roles.map((role) => ({ id, role }))),
    ({ role }) => role,
  );
  return [...holders].map(([name, nodes]) => ({ name, nodes: nodes.map(({ id }) => id) }));
}

async function look({ engine, expected }: Api) {
  const [nodes, components] = [engine.nodes(), await engine.components()];
  return { nodes, components, ...readinessOf(expected, nodes, components) };
}

function readinessOf(
  expected: readonly string[],
  nodes: Parameters<typeof readiness>[1]["nodes"],
  components: Parameters<typeof readiness>[1]["components"],
) {
  const { ready, missing, components: counted } = readiness(expected, { nodes, components });
  return { ready, missing, counted };
}

async function status(api: Api) {
  const { nodes, components, ready, missing } = await look(api);
  const { apps, processes, users, organizations, spaces, routes } = api.tables;
  const started = apps.all().filter(({ state }) => state === "STARTED");
  const wanted = processes.all().filter((one) => apps.get(one.app)?.state === "STARTED" && one.instances > 0);
  const running = await api.engine.running(wanted);
  return {
    version: api.version,
    domain: api.domain,
    ready,
    missing,
    nodes,
    components,
    counts: {
      organizations: organizations.all().length,
      spaces: spaces.all().length,
      users: users.all().length,
      apps: apps.all().length,
      started: started.length,
      wanted_instances: sum(wanted.map(({ instances }) => instances)),
      running_instances: sum([...running.values()]),
      routes: routes.all().length,
    },
  };
}

/** Running instances by process, of one space when it is named, in one question. Those nobody knows of are left out. */
async function running({ tables, engine }: Api, { query }: Call) {
  const space = query["space_guid"];
  const meant = tables.processes.all().filter((one) => {
    const app = tables.apps.get(one.app);
    return app?.state === "STARTED" && one.instances > 0 && (space === undefined || app.space === space);
  });
  return { running: meant.length > 0 ? Object.fromEntries(await engine.running(meant)) : {} };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

/** Open to all and before the license step: who waits for a cluster to come up has no login yet. */
async function ready(api: Api): Promise<Answer> {
  const { ready, missing, counted } = await look(api);
  const licensed = (await api.tables.license.get("license")) !== undefined;
  const body = { ready, licensed, missing, components: counted };
  if (!licensed) return new Answer(503, { ...body, ...notLicensed() });
  return new Answer(ready ? 200 : 503, body);
}

async function traced(api: Api, call: Call): Promise<string> {
  const named = api.tables.apps.all().filter(({ name }) => name === call.params["guid"]);
  return named.length === 1 && named[0] ? named[0].guid : (await appOf(api, call)).guid;
}
