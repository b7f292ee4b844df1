import type { Bus } from "../bus/bus.ts";
import { subjects } from "../bus/subjects.ts";
import type { Log } from "../run/log.ts";
import { sleep } from "../run/sleep.ts";
import type { Journal, Left } from "./journal.ts";
import { errorText, StagingError } from "./stagingError.ts";

/** Beats after the start at which it is said: a controller that was restarted too may not be listening yet. */
const moments = [0, 2, 5, 20];

interface Amends {
  bus: Bus;
  log: Log;
  beat: number;
  journal: Journal;
}

/**
 * Answers the jobs that a killed stager left behind, so that nobody waits for what will never come. It is said several
 * times, because one answer is taken and later ones do nothing; only then a job is struck out.
 */
export async function makeAmends({ bus, log, beat, journal }: Amends, left: readonly Left[], stop: AbortSignal) {
  const hint = "push again";
  const error = errorText(new StagingError("TaskError", "the stager was restarted in the middle", { hint }));
  for (const { task, app_id } of left)
    log.warn({ app: app_id, task }, "a staging was torn off when the stager was killed");
  let now = 0;
  for (const moment of left.length > 0 ? moments : []) {
    await sleep((moment - now) * beat, stop);
    if (stop.aborted) return;
    now = moment;
    for (const { task, notify_subj: name } of left)
      bus.publish({ ...subjects.stagingDone, name }, { task_id: task, task_log: "", error });
  }
  await bus.flush();
  for (const { task } of left) await journal.strike(task);
}
