import { type Ask, type FakeApp, type Json, list, theDomain, theSpace } from "./cli.ts";

import {
  action,
  addDestination,
  assign,
  body,
  cancel,
  changeEnv,
  changeProcess,
  createApp,
  createBuild,
  createPackage,
  createRoute,
  deleteApp,
  deploy,
  destinations,
  droplet,
  matches,
  now,
  readLog,
  removeDestination,
  shown,
  shownRoute,
  stats,
  upload,
} from "./cliActs.ts";

// What the stand-in of test/support/cli.ts answers, by method and path.

type Act = (ask: Ask, found: string[]) => Json | undefined;

export const routes: readonly [string, Act][] = [
  ["GET /v3/info", () => ({ name: "tutti", build: "0.1.0", custom: { domain: theDomain.name } })],
  ["GET /v3/organizations", () => list([{ guid: "org-1", name: "acme" }])],
  [
    "GET /v3/spaces",
    ({ world, query }) => list(world.spaces.map(theSpace).filter((each) => matches(query, "names", each.name))),
  ],
  ["GET /v3/domains", () => list([theDomain])],
  [
    "GET /v3/apps",
    ({ world, query }) =>
      list([...world.apps.values()].filter((each) => matches(query, "names", each.name)).map(shown)),
  ],
  ["POST /v3/apps", createApp],
  ["GET /v3/apps/([^/]+)", ({ world }, [guid = ""]) => world.apps.get(guid) && shown(world.apps.get(guid) as FakeApp)],
  ["PATCH /v3/apps/([^/]+)", (ask, [guid = ""]) => ({ ...shown(ask.world.apps.get(guid) as FakeApp), ...body(ask) })],
  ["DELETE /v3/apps/([^/]+)", deleteApp],
  ["GET /v3/jobs/.*", () => ({ state: "COMPLETE" })],
  ["GET /v3/apps/([^/]+)/environment_variables", ({ world }, [guid = ""]) => ({ var: world.apps.get(guid)?.env })],
  ["PATCH /v3/apps/([^/]+)/environment_variables", changeEnv],
  [
    "GET /v3/apps/([^/]+)/processes",
    ({ world }, [guid]) =>
      list(
        [...world.processes.values()]
          .filter((each) => each.app === guid)
          .map((each) => ({ ...each, command: each["command"] === null ? null : "[PRIVATE DATA HIDDEN IN LISTS]" })),
      ),
  ],
  [
    "GET /v3/apps/([^/]+)/routes",
    ({ world }, [guid = ""]) =>
      list([...world.routes.values()].filter((each) => each.apps.includes(guid)).map(shownRoute)),
  ],
  [
    "GET /v3/apps/([^/]+)/packages",
    ({ world }, [guid]) =>
      list(
        [...world.packages.values()]
          .filter((each) => each.app === guid)
          .map(({ bytes: _, ...rest }) => rest)
          .reverse(),
      ),
  ],
  ["GET /v3/apps/([^/]+)/droplets/current", ({ world }, [guid = ""]) => droplet(world.apps.get(guid)?.droplet)],
  ["PATCH /v3/apps/([^/]+)/relationships/current_droplet", assign],
  ["POST /v3/apps/([^/]+)/actions/(start|stop|restart)", action],
  [
    "GET /v3/processes",
    // Lists hide commands.
    ({ world }) => list([...world.processes.values()].map((each) => ({ ...each, command: "[PRIVATE]" }))),
  ],
  ["GET /v3/processes/([^/]+)", ({ world }, [guid = ""]) => world.processes.get(guid)],
  ["PATCH /v3/processes/([^/]+)", changeProcess],
  ["POST /v3/processes/([^/]+)/actions/scale", changeProcess],
  ["GET /v3/processes/([^/]+)/stats", stats],
  [
    "POST /v3/resource_matches",
    (ask) => ({
      resources: (body(ask)["resources"] as { checksum: { value: string } }[]).filter((each) =>
        ask.world.resources.has(each.checksum.value),
      ),
      $status: 201,
    }),
  ],
  ["POST /v3/packages", createPackage],
  ["GET /v3/packages/([^/]+)", ({ world }, [guid = ""]) => ({ ...world.packages.get(guid), bytes: undefined })],
  ["POST /v3/packages/([^/]+)/upload", upload],
  ["POST /v3/builds", createBuild],
  ["GET /v3/builds/([^/]+)", ({ world }, [guid = ""]) => world.builds.get(guid)],
  ["GET /v3/droplets/([^/]+)", (_ask, [guid]) => droplet(guid)],
  [
    "GET /v3/deployments",
    ({ world }) =>
      list([...world.deployments.values()].filter((each) => (each["status"] as Json)["value"] === "ACTIVE")),
  ],
  ["POST /v3/deployments", deploy],
  ["GET /v3/deployments/([^/]+)", ({ world }, [guid = ""]) => world.deployments.get(guid)],
  ["POST /v3/deployments/([^/]+)/actions/cancel", cancel],
  [
    "GET /v3/routes",
    ({ world, query }) =>
      list([...world.routes.values()].filter((each) => matches(query, "hosts", each.host)).map(shownRoute)),
  ],
  ["POST /v3/routes", createRoute],
  ["DELETE /v3/routes/([^/]+)", ({ world }, [guid = ""]) => ({ $status: world.routes.delete(guid) ? 202 : 404 })],
  [
    "GET /v3/routes/([^/]+)/destinations",
    ({ world }, [guid = ""]) => ({ destinations: destinations(world.routes.get(guid)?.apps ?? []) }),
  ],
  ["POST /v3/routes/([^/]+)/destinations", addDestination],
  ["DELETE /v3/routes/([^/]+)/destinations/([^/]+)", removeDestination],
  [
    "GET /v3/audit_events",
    () =>
      list([
        {
          guid: "e1",
          created_at: now(),
          type: "audit.app.create",
          actor: { name: "me@example.com" },
          target: { guid: "x", name: "hello", type: "app" },
          data: { request: {} },
        },
      ]),
  ],
  ["GET /api/v1/read/([^/]+)", readLog],
  [
    "GET /tutti/running",
    ({ world }) =>
      world.counts
        ? { running: Object.fromEntries([...world.processes.values()].map((each) => [each.guid, each["instances"]])) }
        : undefined,
  ],
  [
    "GET /tutti/nodes",
    () => ({
      resources: [
        {
          id: "solo-0",
          address: "127.0.0.1",
          version: "0.1.0",
          state: "UP",
          roles: ["core", "router"],
          components: [{ name: "router", state: "ready", since: 1 }],
          seen: Date.now(),
        },
      ],
    }),
  ],
  [
    "GET /tutti/components",
    () => ({
      resources: [
        { type: "Router", index: 0, uuid: "0-abc", host: "127.0.0.1:1", uptime: "0d:0h:1m:2s", healthy: true },
      ],
    }),
  ],
  [
    "GET /tutti/trace/([^/]+)",
    () => ({
      resources: [
        { at: 1000, subject: "vcap.stager.staging", what: "controller asks the stagers" },
        { at: 1500, subject: "dea.discover", what: "controller asks all DEAs" },
        { at: 1510, subject: "dea.abc.start", what: "controller tells a DEA" },
        { at: 1700, subject: "router.register", what: "a DEA tells the routers" },
      ],
    }),
  ],
];
