import { randomBytes } from "node:crypto";
import type { Bus, Message } from "../bus/bus.ts";
import type { StagingRequest, StagingResult } from "../bus/messages/staging.ts";
import type { Log } from "../run/log.ts";
import { answerTo, notifySubject } from "./answer.ts";
import type { Journal } from "./journal.ts";

/** A request with the way to answer it, once. */
export interface Order {
  task: string;
  request: StagingRequest;
  answer: (result: StagingResult) => void;
}

/** Makes orders of requests: each is in the journal before it is worked on, until its answer has left. */
export function ordering({ bus, log }: { bus: Bus; log: Log }, journal: Journal) {
  const striking = new Set<Promise<void>>();
  // In the order of arrival, although writing takes a moment.
  let before: Promise<unknown> = Promise.resolve();
  const strike = (task: string) => {
    const one = bus
      .flush()
      .then(() => journal.strike(task))
      .catch((error: unknown) => log.warn({ task, error: String(error) }, "a job stays in the journal"))
      .finally(() => striking.delete(one));
    striking.add(one);
  };
  const write = async (task: string, request: StagingRequest) => {
    const notify_subj = notifySubject(request);
    if (!notify_subj) return;
    await journal
      .add(task, { app_id: request.app_id, notify_subj })
      .catch((error: unknown) => log.warn({ task, error: String(error) }, "a job could not be written down"));
  };
  return {
    async order(request: StagingRequest, message: Message<StagingResult>): Promise<Order> {
      const task = randomBytes(16).toString("hex");
      const reply = answerTo(bus, request, message);
      const written = before.then(() => write(task, request));
      before = written;
      await written;
      return {
        task,
        request,
        answer(result) {
          reply(result);
          strike(task);
        },
      };
    },
    /** Resolves when what was answered is struck out. */
    async settled() {
      await before;
      await Promise.all(striking);
    },
  };
}
