import { targetUrl } from "./address.ts";
import { read } from "./answers.ts";
import type { Call } from "./call.ts";
import { readConfig, writeConfig } from "./config.ts";
import { Fault } from "./fault.ts";
import { makeHttp } from "./http.ts";
import { debugLine, place, session } from "./session.ts";
import { facts } from "./show.ts";

interface Root {
  links?: Record<string, { href?: string } | null>;
}

/** Sets the cluster, the organization and space, or shows what is set. */
export async function target(call: Call): Promise<void> {
  const typed = call.args[0];
  if (typed) await choose(call, targetUrl(typed));
  if (call.text("org") || call.text("space")) await work(call);
  const now = await readConfig(call.io.env);
  if (!now.target) await session(call);
  const { target: api, user, organization, space } = now;
  const value = { ok: true, target: api, user, organization: organization?.name, space: space?.name };
  call.io.result(
    value,
    facts([
      ["target", api ?? ""],
      ["user", user ?? "not logged in (tutti login)"],
      ["organization", organization?.name ?? "-"],
      ["space", space?.name ?? "-"],
    ]),
  );
}

/** Whether an API answers there is found out now, not at the first push. */
async function choose({ io }: Call, url: string): Promise<void> {
  await tokenEndpoint(url, debugLine(io));
  const before = await readConfig(io.env);
  if (before.target !== url) await writeConfig(io.env, { target: url });
}

/** Where the API at this address hands out tokens. */
export async function tokenEndpoint(url: string, debug?: (line: string) => void): Promise<string> {
  const asked = { method: "GET", url: `${url}/` };
  const answer = await makeHttp(debug).send({ ...asked, headers: { accept: "application/json" }, patience: 10_000 });
  const links = (read(answer, asked) as Root | undefined)?.links;
  if (!links?.["cloud_controller_v3"]) {
    throw new Fault(`${url} answers, but not as the API of a cluster`, {
      code: "not_the_api",
      hint: "the API usually is at api.DOMAIN",
    });
  }
  return (links["login"] ?? links["uaa"])?.href ?? url;
}

async function work(call: Call): Promise<void> {
  const opened = await session(call);
  const { organization, space } = await place(opened, call);
  await writeConfig(call.io.env, { ...opened.config, organization, space });
}
