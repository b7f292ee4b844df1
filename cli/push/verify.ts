import type { Api } from "../api.ts";
import { Fault } from "../fault.ts";
import { instancesOf } from "../find.ts";
import type { Http } from "../http.ts";
import type { App, Process } from "../resources.ts";
import { plain } from "../show.ts";
import { probeUntil } from "./probe.ts";

interface Verifying {
  api: Api;
  http: Http;
  app: App;
  process: Process;
  url: string;
}

/** A route is there when the app answers through it, not when somebody says so. Any status of the app's own will do. */
export async function verify({ api, http, app, process, url }: Verifying): Promise<string> {
  const found = await probeUntil(http, url, { limit: 15_000 });
  if (found.answered) return `${url} answers with status ${found.status}`;
  const instances = await instancesOf(api, process).catch(() => []);
  const told = instances.find((each) => each.details)?.details;
  throw new Fault(`${url} does not answer: ${found.why}${told ? `; ${plain(told)}` : ""}`, {
    code: "route_dead",
    hint: `tutti app ${app.name}; tutti logs ${app.name} --recent`,
  });
}
