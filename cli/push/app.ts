import type { Api } from "../api.ts";
import type { App } from "../resources.ts";
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
