import { type Api, makeApi } from "./api.ts";
import type { Call } from "./call.ts";
import { type Config, type Named, readConfig } from "./config.ts";
import { Fault } from "./fault.ts";
import { type Http, makeHttp } from "./http.ts";
import type { Io } from "./io.ts";

/** A command's connection to the cluster. */
export interface Session {
  api: Api;
  http: Http;
  config: Config & { target: string };
}

export function debugLine(io: Io): (line: string) => void {
  return io.env["TUTTI_DEBUG"] ? (line) => io.note(`debug: ${line}`) : () => {};
}

/** The cluster that was targeted, as whoever is logged in; throws with the next step when either is missing. */
export async function session({ io }: Call, { anonymous = false } = {}): Promise<Session> {
  const config = await readConfig(io.env);
  const { target } = config;
  if (!target) {
    throw new Fault("no cluster is targeted", {
      code: "no_target",
      hint: "tutti target URL, e.g. tutti target http://api.tutti.localhost:8080 (npx tutti solo up starts a cluster here)",
    });
  }
  if (!anonymous && !config.accessToken) {
    throw new Fault(`not logged in at ${target}`, { code: "not_logged_in", hint: "tutti login" });
  }
  const http = makeHttp(debugLine(io));
  const whole = Object.assign(config, { target });
  return { http, config: whole, api: makeApi(http, whole, io.env) };
}

export interface Place {
  organization: Named;
  space: Named;
}

/** The space commands work in: by option, else the targeted one, else the only one there is. */
export async function place({ api, config }: Session, call: Call): Promise<Place> {
  const wantedOrg = call.text("org") ?? call.text("group");
  const wantedSpace = call.text("space");
  if (!wantedOrg && !wantedSpace && config.organization && config.space) {
    return { organization: config.organization, space: config.space };
  }
  const sameOrg = wantedOrg && wantedOrg !== config.organization?.name ? undefined : config.organization;
  const organization = sameOrg ?? (await one(api, "organization", wantedOrg, {}));
  const space = await one(api, "space", wantedSpace, { organization_guids: organization.guid });
  return { organization, space };
}

/** The organization or space of that name; without a name the only one. */
async function one(api: Api, what: "organization" | "space", name: string | undefined, query: Record<string, string>) {
  const found = await api.all<Named>(`/v3/${what}s`, { ...query, ...(name && { names: name }) });
  const first = found[0];
  if (first && found.length === 1) return { guid: first.guid, name: first.name };
  const option = what === "space" ? "-s SPACE" : "-o ORG";
  if (name) {
    throw new Fault(`there is no ${what} "${name}" that you may see`, {
      code: `no_${what}`,
      hint: `choose with ${option}`,
    });
  }
  throw new Fault(found.length === 0 ? `there is no ${what} that you may see` : `there are ${found.length} ${what}s`, {
    code: `no_${what}`,
    hint:
      found.length === 0
        ? "an admin can add you to one"
        : `choose with ${option}: ${found.map((each) => each.name).join(", ")}`,
  });
}
