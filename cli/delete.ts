import type { Call } from "./call.ts";
import { exits, wrongUsage } from "./fault.ts";
import { openApp, routesOf } from "./find.ts";
import { ask } from "./prompt.ts";

/** Deletes the app, and its addresses when no other app is behind them. */
export async function remove(call: Call): Promise<number> {
  const { io } = call;
  if (!call.flag("force") && !io.stdin.isTTY) {
    throw wrongUsage("there is no terminal to ask at whether you are sure", `tutti delete ${call.arg(0)} --force`);
  }
  const { api, app } = await openApp(call);
  const routes = await routesOf(api, app);
  if (!call.flag("force")) {
    const said = await ask(io, `Delete ${app.name} with everything it has? Type its name: `);
    if (said !== app.name) {
      io.result({ ok: false, app: app.name, deleted: false }, "nothing was deleted");
      return exits.failed;
    }
  }
  await api.delete(`/v3/apps/${app.guid}`);
  const lonely = routes.filter((route) => (route.destinations ?? []).every((each) => each.app.guid === app.guid));
  const freed = call.flag("keepRoutes") ? [] : lonely;
  for (const route of freed) await api.delete(`/v3/routes/${route.guid}`);
  const words = freed.length ? `; free again: ${freed.map((route) => route.url).join(", ")}` : "";
  io.result(
    { ok: true, app: app.name, deleted: true, routes: freed.map((route) => route.url) },
    `${app.name} is deleted${words}`,
  );
  return exits.done;
}
