import type { Api, Endpoint } from "./api.ts";
import { appActions } from "./appActions.ts";
import { appEnvironment } from "./appEnvironment.ts";
import { appFeatures } from "./appFeatures.ts";
import { apps } from "./apps.ts";
import { builds } from "./builds.ts";
import { catalog } from "./catalog.ts";
import { deployments } from "./deployments.ts";
import { destinations } from "./destinations.ts";
import { domains } from "./domains.ts";
import { droplets } from "./droplets.ts";
import { events } from "./events.ts";
import { files } from "./files.ts";
import { info } from "./info.ts";
import { jobs } from "./jobs.ts";
import { license } from "./license.ts";
import { logCache } from "./logCache.ts";
import { manifests } from "./manifests.ts";
import { members } from "./members.ts";
import { oauth } from "./oauth.ts";
import { organizations } from "./organizations.ts";
import { packages } from "./packages.ts";
import { processes } from "./processes.ts";
import { resources } from "./resources.ts";
import { roles } from "./roles.ts";
import { routes } from "./routes.ts";
import { spaces } from "./spaces.ts";
import type { Tokens } from "./tokens.ts";
import { tutti } from "./tutti.ts";
import { users } from "./users.ts";

/** Everything the API answers to: the only list. */
export function endpoints(api: Api, tokens: Tokens): Endpoint[] {
  const families = [
    info,
    license,
    organizations,
    spaces,
    domains,
    apps,
    appActions,
    appEnvironment,
    appFeatures,
    processes,
    packages,
    resources,
    builds,
    droplets,
    routes,
    destinations,
    deployments,
    manifests,
    jobs,
    events,
    users,
    roles,
    catalog,
    logCache,
    files,
    tutti,
    members,
  ];
  return [...oauth(api, tokens), ...families.flatMap((family) => family(api))];
}
