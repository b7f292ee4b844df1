import { join } from "node:path";
import { findEngine, lay, pathFor, type Site } from "../../infra/run/site.ts";
import type { ClusterSpec } from "../../roles/spec.ts";
import type { Call } from "../call.ts";
import { Fault, wrongUsage } from "../fault.ts";
import { openGround } from "./offline/ground.ts";
import { offlinePlace, projectFile, tuttiHome } from "./offline/place.ts";

/** A stack, and where it stands. */
export interface Standing {
  readonly site: Site;
  readonly offline: boolean;
}

/** Where a cluster's stack is worked on. With `--offline` on the API of this machine, which is started when it has to. */
export async function standing(
  call: Call,
  spec: ClusterSpec,
  program: Readonly<Record<string, string>>,
): Promise<Standing> {
  const stack = call.text("stack") ?? "dev";
  if (!/^[\w.-]+(\/[\w.-]+){0,2}$/.test(stack))
    throw wrongUsage(`--stack: "${stack}" is no name of a stack`, "letters, digits, dots, dashes: --stack dev");
  // The engine starts three Nodes for each run; as with our own start, half of that is reading TypeScript.
  const more = { NODE_COMPILE_CACHE: projectFile(".cache/compile"), ...program };
  return call.flag("offline") ? await offline(call, { spec, stack, more }) : online(call, { spec, stack, more });
}

interface Wanted {
  readonly spec: ClusterSpec;
  readonly stack: string;
  /** Environment of the program. */
  readonly more: Readonly<Record<string, string>>;
}

/** The person's own account, login, state and passphrase: all as `pulumi` itself would find them. */
function online({ io }: Call, { spec, stack, more }: Wanted): Standing {
  const folder = join(tuttiHome(io.env), "clusters", spec.name);
  const kept = Object.entries(io.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
  const path = pathFor(io.env["PATH"] ?? "", projectFile(".cache/tools/bin"));
  const env = { ...Object.fromEntries(kept), ...more, PATH: path, PULUMI_SKIP_UPDATE_CHECK: "1" };
  const site = { program: engineOn(path), folder, stack, env };
  lay(site, facts(spec));
  return { site, offline: false };
}

async function offline({ io }: Call, { spec, stack, more }: Wanted): Promise<Standing> {
  const place = offlinePlace(io.env);
  const ground = await openGround(place);
  if (ground.lost) io.note("the offline EC2 of before is gone with all that stood on it; here is a new one");
  const rehearsal = await import("../../rehearsal/offline.ts");
  const { env, config } = rehearsal.offline({ folder: place.engine, url: ground.url, region: spec.aws?.region });
  const path = env["PATH"] ?? "";
  const folder = join(place.clusters, spec.name);
  const site = { program: engineOn(path), folder, stack, env: { ...env, ...more } };
  lay(site, { ...facts(spec), config });
  return { site, offline: true };
}

/** A project of its own for each cluster, so that the stack `dev` of one is not the stack `dev` of another. */
const facts = ({ name }: ClusterSpec) => ({ project: `tutti-${name}`, main: projectFile("infra/index.ts") });

/** The engine; a Fault with how to get it when PATH has none. */
export function engineOn(path: string): string {
  const program = findEngine(path);
  if (program) return program;
  throw new Fault("Pulumi's engine is not on this machine: there is no program pulumi on PATH", {
    code: "engine_missing",
    hint: "install it (https://www.pulumi.com/docs/install/), or let the set-up do it: node bin/setup.mjs",
  });
}
