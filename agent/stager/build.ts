import { diskUsage } from "./disk.ts";
import { buildEnvironment } from "./environment.ts";
import { execute } from "./execute.ts";
import type { Plan, Step } from "./framework.ts";
import type { Job } from "./job.ts";
import { killLeftovers } from "./leftovers.ts";
import { tooMuch } from "./limited.ts";
import { copySettings } from "./registries.ts";
import { phase, StagingError } from "./stagingError.ts";
import { handOver } from "./workspace.ts";

/** Runs a plan's steps one after the other. Rejects with StagingError, with the last lines of the output. */
export async function build(job: Job, plan: Plan): Promise<void> {
  if (plan.steps.length === 0) return;
  const { space, options } = job;
  await phase("InternalError", "the build cannot be prepared: ", async () => {
    await copySettings(process.env, space.home);
    if (options.user) await handOver(space, options.user);
  });
  try {
    for (const step of plan.steps) await take(job, step);
  } finally {
    // What left its process group would go on writing into the droplet.
    await killLeftovers(`${space.root}/`);
  }
  // What was written between two looks of the disk watch.
  const used = Math.ceil((await diskUsage(space.root)) / 1024);
  if (used > options.diskLimit) throw tooMuch(used, options.diskLimit);
}

async function take(job: Job, step: Step): Promise<void> {
  const { out, signal, space, options, request } = job;
  const began = Date.now();
  const place = { path: options.path, home: space.home, tmp: space.tmp, cache: options.cacheDir };
  const env = { ...step.env, ...buildEnvironment(place, process.env, request.properties.environment) };
  if (!step.optional) out.lines([`$ ${shown(step)}`]);
  try {
    const { command, args } = step;
    await execute({ command, args, cwd: space.app, env, user: options.user, onLines: out.lines, signal });
  } catch (error) {
    if (step.optional && !signal.aborted) return;
    throw error instanceof StagingError ? withLines(error, step, out.last(20)) : error;
  }
  out.lines([`(${((Date.now() - began) / 1000).toFixed(1)} s)`]);
}

function shown({ command, args }: Step): string {
  return [command, ...args].map((word) => (/\s/.test(word) ? "…" : word)).join(" ");
}

function withLines(error: StagingError, step: Step, lines: readonly string[]): StagingError {
  const hint = error.hint ?? step.hint?.(lines.join("\n"));
  return new StagingError(error.kind, error.message, { hint, lines, cause: error.cause });
}
