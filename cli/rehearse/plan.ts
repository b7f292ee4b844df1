import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { RehearsalPlan } from "../../rehearsal/play/words.ts";
import type { AwsSpec } from "../../roles/aws.ts";
import type { Call } from "../call.ts";
import { projectFile, tuttiHome } from "../cluster/offline/place.ts";
import { readSpec } from "../cluster/spec.ts";
import { Fault } from "../fault.ts";

export interface Ready {
  readonly plan: RehearsalPlan;
  /** The plan as a file, for the process in the room. */
  readonly planFile: string;
  readonly logFile: string;
}

/** Where rehearsals of this person keep their machines, state and logs. */
export const rehearsals = (env: NodeJS.ProcessEnv): string => join(tuttiHome(env), "rehearsal");

/** What the room needs to know. What an earlier rehearsal of the same cluster left in the folder is removed. */
export async function makePlan(call: Call, image: string, bundle: string): Promise<Ready> {
  const { file, spec } = readSpec(call.args[0] ?? projectFile("examples/trio/cluster.yaml"));
  const folder = join(rehearsals(call.io.env), spec.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const app = resolve(call.text("app") ?? projectFile("examples/apps/hello"));
  const email = call.text("email") ?? "rehearsal@example.com";
  const plan = { spec: file, folder, image, bundle, app, email, keep: call.flag("keep") };
  const planFile = join(folder, "plan.json");
  writeFileSync(planFile, JSON.stringify(plan), { mode: 0o600 });
  return { plan, planFile, logFile: join(folder, "rehearsal.log") };
}

/** The agent as the sources are now: what is rehearsed is what would be sent. `--bundle` names another. */
export async function freshBundle(call: Call, { architecture }: AwsSpec): Promise<string> {
  const given = call.text("bundle") ?? call.io.env["TUTTI_BUNDLE"];
  if (given) return resolve(given);
  if (architecture !== archName())
    throw new Fault(`this cluster is ${architecture}, this computer is ${archName()}: its machines cannot boot here`, {
      code: "other_architecture",
      hint: `write architecture: ${archName()} and fitting instance types into a copy of cluster.yaml for the rehearsal`,
    });
  const args = [projectFile("tools/bundle.mjs"), "--architecture", architecture];
  const { stdout } = await promisify(execFile)(process.execPath, args).catch((cause: Error & { stderr?: string }) => {
    const [why = cause.message] = (cause.stderr ?? "").replace(/^bundle: /, "").split("\n");
    throw new Fault(`the agent bundle cannot be made: ${why}`, {
      code: "no_bundle",
      hint: "node bin/setup.mjs --ground",
      cause,
    });
  });
  return (JSON.parse(stdout) as { path: string }).path;
}

const archName = () => process.arch;
