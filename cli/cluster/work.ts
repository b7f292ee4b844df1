import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Effect } from "../../infra/effects.ts";
import { type Ended, EngineError, makeStack, outputsOf, run, type Verb, type Watch } from "../../infra/run.ts";
import { plan } from "../../roles/plan.ts";
import type { ClusterSpec } from "../../roles/spec.ts";
import type { Call } from "../call.ts";
import { Fault } from "../fault.ts";
import { bundleOf } from "./bundle.ts";
import { type About, explain } from "./explain.ts";
import { type Standing, standing } from "./ground.ts";
import { nodesIn } from "./nodeLines.ts";
import { progress, seen } from "./progress.ts";
import { type ReadSpec, readSpec } from "./spec.ts";

/** A cluster of which everything is known that is to be known before the engine works. */
export interface Work extends ReadSpec, Standing {
  readonly about: About;
  /** Outputs of the stack as it stands; undefined when there is no stack. */
  readonly before: Readonly<Record<string, unknown>> | undefined;
}

/** What `destroy` and `refresh` need: the stack. The program is not run, so nothing of it has to be there. */
export async function openStack(call: Call): Promise<Work> {
  const read = readSpec(call.arg(0));
  return await open(read, await standing(call, read.spec, {}));
}

/** What `preview` and `up` need: all that the program will ask for is looked at first, while the engine starts. */
export async function openProgram(call: Call): Promise<Work> {
  const read = readSpec(call.arg(0));
  const { spec, file } = read;
  if (existsSync(join(dirname(file), "Pulumi.yaml")))
    call.io.note(
      `note: ${dirname(file)} has a Pulumi program of its own; \`pulumi up\` there makes a cluster beside this one`,
    );
  const bundle = spec.aws ? bundleOf(call, spec.aws) : "";
  const there = await standing(call, spec, { TUTTI_SPEC: file, TUTTI_BUNDLE: bundle });
  const [work] = await Promise.all([open(read, there), ready(file, bundle, there)]);
  if (work.before === undefined) await makeStack(there.site).catch((error) => refuse(error, work.about));
  return work;
}

async function open(read: ReadSpec, there: Standing): Promise<Work> {
  const about = aboutOf(read.spec, there);
  const before = await outputsOf(there.site).catch((error) => refuse(error, about));
  return { ...read, ...there, about, before };
}

function aboutOf(spec: ClusterSpec, { site }: Standing): About {
  if (!spec.aws) throw new Error("a spec without ground was let through");
  return { cluster: spec.name, stack: site.stack, aws: spec.aws, folder: site.folder };
}

/** The program's own check, here where its errors need no engine to be told. */
async function ready(spec: string, bundle: string, { site }: Standing): Promise<void> {
  const { prepare } = await import("../../infra/prepare.ts");
  try {
    prepare({ spec, bundle, sshKey: site.env["TUTTI_SSH_KEY"] });
  } catch (cause) {
    const { message } = cause as Error;
    const [, what = message, hint] = /^(.*? (?:is not there|is no public key)): (.*)$/s.exec(message) ?? [];
    throw new Fault(what, { code: "not_ready", hint, cause });
  }
}

function refuse(error: unknown, about: About): never {
  if (error instanceof EngineError) throw explain({ complaints: error.complaints, locks: [] }, about);
  throw error;
}

/** What an `up` would do to the nodes. */
export async function effectsOf({ spec, before }: Work): Promise<Effect[]> {
  const { effects } = await import("../../infra/effects.ts");
  const image = spec.aws?.image.startsWith("ami-") ? spec.aws.image : undefined;
  return effects(nodesIn(before), plan(spec), image);
}

interface Acting {
  readonly call: Call;
  /** How many resources will be worked on, where it is known. */
  readonly total?: number | undefined;
  /** How the engine is run; default: once, with the verb. */
  readonly drive?: (watch: Watch, note: (line: string) => void) => Promise<Ended>;
}

/** Runs the engine, with its progress shown. Throws a Fault for what has failed. */
export async function act({ site, about }: Work, verb: Verb, { call, total, drive }: Acting): Promise<Ended> {
  const { io } = call;
  const show = progress(io, about, { words: verb === "refresh" ? seen : undefined, total, quiet: verb === "preview" });
  let interrupted = false;
  const onAbandoned: Watch["onAbandoned"] = ([lock]) =>
    show.note(`the lock of an engine that is gone (pid ${lock?.pid}, since ${lock?.since}) is taken away`);
  const ended = await whileListening(
    (onStop) => {
      const watch = { onTold: show.told, onAbandoned, onStop };
      return drive ? drive(watch, show.note) : run(site, verb, watch);
    },
    () => {
      interrupted = true;
      show.note("ending what has begun; once more ends it at once …");
    },
  )
    .finally(show.end)
    .catch((error: unknown) => {
      // A wait that was ended early rejects with what ended it.
      if (!interrupted) throw error;
      return undefined;
    });
  if (interrupted || !ended)
    throw new Fault("interrupted", { code: "interrupted", hint: "run the same again: it goes on where it stopped" });
  if (!ended.ok) throw explain(ended, about);
  return ended;
}

/** Signals go to the engine, which ends in good order; then it is our turn. */
async function whileListening<T>(
  start: (onStop: (stop: () => void) => void) => Promise<T>,
  onSignal: () => void,
): Promise<T> {
  let stop = () => {};
  const pass = () => {
    onSignal();
    stop();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, pass);
  try {
    return await start((given) => {
      stop = given;
    });
  } finally {
    for (const signal of signals) process.off(signal, pass);
  }
}
