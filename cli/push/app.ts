import type { Api } from "../api.ts";
import type { App } from "../resources.ts";
import type { Place } from "../session.ts";
import type { Wanted } from "./wanted.ts";

/** The app of that name, when there is one. */
export async function existing(api: Api, { space }: Place, name: string): Promise<App | undefined> {
  return (await api.all<App>("/v3/apps", { names: name, space_guids: space.guid }))[0];
}

interface Ensuring {
  readonly wanted: Wanted;
  readonly there: App | undefined;
}

/** The app as it should be before it is built: made when it is not there. What an interrupted push left is taken up. */
export async function ensureApp(api: Api, { space }: Place, { wanted, there }: Ensuring): Promise<App> {
  const { buildpacks, stack, env = {} } = wanted;
  const data = { ...(buildpacks && { buildpacks }), ...(stack && { stack }) };
  const lifecycle = Object.keys(data).length ? { type: "buildpack", data } : undefined;
  if (!there) {
    const relationships = { space: { data: { guid: space.guid } } };
    return await api.post<App>("/v3/apps", {
      name: wanted.name,
      relationships,
      environment_variables: env,
      ...(lifecycle && { lifecycle }),
    });
  }
  const app = lifecycle ? await api.patch<App>(`/v3/apps/${there.guid}`, { lifecycle }) : there;
  if (Object.keys(env).length) await api.patch(`/v3/apps/${app.guid}/environment_variables`, { var: env });
  return app;
}
