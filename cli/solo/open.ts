import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { NodeSpec } from "../../roles/node.ts";
import type { Call } from "../call.ts";
import { makeHttp } from "../http.ts";
import type { Io } from "../io.ts";
import { awaitApi, claimLicense } from "./license.ts";
import { loginOf } from "./login.ts";
import type { Place } from "./place.ts";
import type { Steps } from "./steps.ts";
import { tutti } from "./tutti.ts";

/** What a person or a script needs to use the cluster. */
export interface Solo {
  api: string;
  router: string;
  domain: string;
  email: string;
  password: string;
  nats: { url: string; user: string; password: string };
  app?: string;
}

export interface Opening {
  call: Call;
  place: Place;
  spec: NodeSpec;
  steward: Steps;
  /** Ends the commands that are under way. */
  stop: AbortSignal;
}

/** From ready components to a person who is logged in, and to their first app when one is named. */
export async function open({ call, place, spec, steward, stop }: Opening): Promise<Solo> {
  const { io } = call;
  const http = makeHttp();
  const router = `http://${spec.domain}:${spec.ports.router}`;
  const api = `http://api.${spec.domain}:${spec.ports.router}`;
  await steward.step(
    "API through the router",
    () => awaitApi(http, api, stop),
    () => api,
  );
  const login = loginOf(call, place, spec.domain);
  const direct = `http://${spec.address}:${spec.ports.controller}`;
  await steward.step(
    "license step",
    () => claimLicense(http, direct, login),
    (told) => told,
  );
  await steward.step(
    "login",
    async () => {
      await tutti(["target", api], { io, stop });
      await tutti(["login", login.email, "--password-stdin"], { io, stop, input: login.password });
    },
    () => login.email,
  );
  const password = readFileSync(join(spec.home, "core", "keys", "watch.password"), "utf8").trim();
  const nats = { url: `nats://${spec.address}:${spec.ports.nats}`, user: "watch", password };
  const solo = { api, router, domain: spec.domain, email: login.email, password: login.password, nats };
  const directory = call.text("push");
  return directory ? { ...solo, app: await push(directory, io, stop) } : solo;
}

/** Pushes the app; its URL. The steps of a push are printed by the push itself. */
async function push(directory: string, io: Io, stop: AbortSignal): Promise<string> {
  io.note("");
  const output = await tutti(["push", "--path", directory, "--json"], { io, stop });
  const { url } = JSON.parse(output.trim().split("\n").at(-1) ?? "{}") as { url?: string };
  return url ?? "";
}

/** What a person reads at the end. */
export function farewell(solo: Solo, { paint }: Io): string {
  const row = (name: string, value: string) => `  ${name.padEnd(9)} ${value}`;
  return [
    "",
    ...(solo.app ? [row("app", paint("bold", solo.app))] : []),
    row("API", solo.api),
    row("login", `${solo.email}  ${solo.password}`),
    "",
    "Try next:",
    ...(solo.app ? [`  curl ${solo.app}`] : ["  npx tutti push --path examples/apps/hello"]),
    "  npx tutti app hello",
    "  npx tutti logs hello --recent",
  ].join("\n");
}
