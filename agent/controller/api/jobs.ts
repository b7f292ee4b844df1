import type { Job } from "../records.ts";
import { Answer, type Api, type Call, type Endpoint, get } from "./api.ts";
import { asApiError } from "./asApiError.ts";
import { found } from "./errors.ts";
import { fresh } from "./fresh.ts";
import { pulse } from "./pulse.ts";
import { head } from "./showTenancy.ts";

export interface Work {
  /** `app.delete`, `space.apply_manifest` … */
  operation: string;
  kind: string;
  resource: string;
  run: () => Promise<unknown>;
}

/** Begins work that may take longer than a request, and answers with the place where its outcome can be asked for. */
export async function accepted(api: Api, call: Call, work: Work): Promise<Answer> {
  const job = await api.tables.jobs.insert({
    ...fresh(),
    operation: work.operation,
    state: "PROCESSING",
    errors: [],
    kind: work.kind,
    resource: work.resource,
    controller: api.id,
    by: call.user.guid,
  });
  api.background(work.operation, () => carryOut(api, job, work.run));
  return new Answer(202, undefined, { location: call.href(`/v3/jobs/${job.guid}`).href });
}

/** Runs the work of a job and writes its outcome down. Never rejects because of the work. */
export async function carryOut(api: Api, job: Job, run: () => Promise<unknown>): Promise<void> {
  const errors: Job["errors"] = [];
  const rest = pulse(() => api.tables.jobs.update(job.guid, (old) => ({ ...old })));
  try {
    await run();
  } catch (error) {
    const { code, title, message, status } = asApiError(error);
    if (status >= 500)
      api.log.error({ job: job.guid, operation: job.operation, error: String(error) }, "A job has failed");
    errors.push({ code, title, detail: message });
  } finally {
    rest();
  }
  const state = errors.length > 0 ? "FAILED" : "COMPLETE";
  await api.tables.jobs.update(job.guid, (old) => ({ ...old, state, errors }));
}

export const jobs = (api: Api): Endpoint[] => [
  get("/v3/jobs/:guid", async (call) =>
    showJob(found(await api.tables.jobs.find(call.params["guid"] ?? ""), "Job"), call),
  ),
];

function showJob(job: Job, { href }: Pick<Call, "href">) {
  const standing = job.kind && job.resource && !job.operation.endsWith(".delete");
  return {
    ...head(job),
    operation: job.operation,
    state: job.state,
    errors: job.errors,
    warnings: [],
    links: {
      self: href(`/v3/jobs/${job.guid}`),
      ...(standing && { [String(job.kind)]: href(`/v3/${job.kind}s/${job.resource}`) }),
    },
  };
}
