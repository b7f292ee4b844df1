import type { Bus, Message } from "../bus/bus.ts";
import type { StagingRequest, StagingResult } from "../bus/messages/staging.ts";
import { subjects } from "../bus/subjects.ts";

/**
 * The way to answer one request, once: on the subject the request names (the form of 2012), else on the reply subject.
 * A controller that serves both generations names the same inbox twice and must hear one answer.
 */
export function answerTo(
  bus: Bus,
  request: StagingRequest,
  message: Message<StagingResult>,
): (result: StagingResult) => void {
  let done = false;
  return (result) => {
    if (done) return;
    done = true;
    const name = notifySubject(request);
    if (name) bus.publish({ ...subjects.stagingDone, name }, result);
    else message.reply(result);
  };
}

/** The subject that the request names for its answer, if it is one. */
export function notifySubject({ notify_subj: name }: Pick<StagingRequest, "notify_subj">): string | undefined {
  return name && /^[^\s.*>]+(\.[^\s.*>]+)*$/.test(name) ? name : undefined;
}
