import type { Call } from "./call.ts";
import { wrongUsage } from "./fault.ts";
import { openApp } from "./find.ts";
import { whole } from "./prompt.ts";
import { facts, plain } from "./show.ts";

interface Variables {
  var: Record<string, string>;
}

const path = (app: { guid: string }) => `/v3/apps/${app.guid}/environment_variables`;

/** `tutti env APP`: what the person set. The platform's own variables are not among them. */
export async function env(call: Call): Promise<void> {
  const { api, app } = await openApp(call);
  const { var: variables } = await api.get<Variables>(path(app));
  const pairs = Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1));
  call.io.result(
    { ok: true, app: app.name, env: variables },
    pairs.length
      ? facts(pairs.map(([name, value]) => [name, plain(value)]))
      : `${app.name} has no variables of its own`,
  );
}

export async function setEnv(call: Call): Promise<void> {
  const name = call.arg(1);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw wrongUsage(`"${name}" is no name for a variable`, "letters, digits and _");
  const typed = call.args[2] ?? "";
  const value = typed === "-" ? (await whole(call.io.stdin)).replace(/\r?\n$/, "") : typed;
  await change(call, { [name]: value });
}

export async function unsetEnv(call: Call): Promise<void> {
  await change(call, { [call.arg(1)]: null });
}

/** The value is not repeated: it may be a secret. */
async function change(call: Call, variables: Record<string, string | null>): Promise<void> {
  const { api, app } = await openApp(call);
  const name = Object.keys(variables)[0] ?? "";
  const { var: before } = await api.get<Variables>(path(app));
  const changed = (before[name] ?? null) !== variables[name];
  if (changed) await api.patch(path(app), { var: variables });
  const verb = variables[name] === null ? "removed" : "set";
  const next = app.state === "STARTED" ? `; running instances keep the old value: tutti restart ${app.name}` : "";
  call.io.result(
    { ok: true, app: app.name, name, changed },
    changed ? `${name} is ${verb}${next}` : `${name} is ${verb} already, nothing to change`,
  );
}
