import { randomBytes } from "node:crypto";
import type { Bus, Message } from "../bus/bus.ts";
import type { StagingRequest, StagingResult } from "../bus/messages/staging.ts";
import { at } from "../bus/subject.ts";
import { subjects } from "../bus/subjects.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import { answerTo } from "./answer.ts";
import type { Counts } from "./counts.ts";
import { stage } from "./job.ts";
import { stopping } from "./limited.ts";
import type { Settings } from "./options.ts";
import { output } from "./output.ts";
import { type Queue, queue } from "./queue.ts";
import { errorText, StagingError } from "./stagingError.ts";
import { clean } from "./workspace.ts";

interface Order {
  request: StagingRequest;
  answer: (result: StagingResult) => void;
}

/** Takes staging requests off the bus and works through them, in order, so many at once. Each gets exactly one answer. */
export function intake(options: Settings, counts: Counts): Runner {
  return {
    name: "intake",
    async run(stop, ready) {
      const { home, user, cacheDir, bus } = options;
      await clean({ home, cacheDir, user });
      const cancel = new AbortController();
      const orders = queue<Order>({ slots: options.slots, limit: options.waiting }, (order) =>
        fulfil(order, options, { counts, stop: cancel.signal }),
      );
      counts.watch(orders);
      const leave = listen(options, orders);
      await bus.flush();
      ready();
      await stopped(stop);
      leave();
      for (const { answer } of orders.close()) answer(refusal(stopping()));
      await Promise.race([orders.idle(), sleep(options.grace * options.beat)]);
      cancel.abort();
      await orders.idle();
      // A bus that is away must not keep the stager from ending.
      await Promise.race([bus.flush(), sleep(options.beat)]);
    },
  };
}

function listen({ bus, log, waiting }: Settings, orders: Queue<Order>): () => void {
  const take = (request: StagingRequest, message: Message<StagingResult>) => {
    const answer = answerTo(bus, request, message);
    if (orders.add({ request, answer })) return tellWaiting(bus, request, orders);
    log.warn({ app: request.app_id, waiting }, "a staging is refused: too many wait");
    const hint = "try again in a while, or add a node with the role stager";
    answer(refusal(new StagingError("TaskError", `${waiting} stagings wait already`, { hint })));
  };
  const heard = [bus.subscribe(at(subjects.stager, { queue: "staging" }), take), bus.subscribe(subjects.staging, take)];
  return () => {
    for (const one of heard) one.stop();
  };
}

/** A person who pushes should not look at nothing while others come first. */
function tellWaiting(bus: Bus, { app_id }: StagingRequest, { running, waiting }: Queue<Order>): void {
  if (waiting > 0) output(bus, app_id).lines([`Waiting for a stager: ${running + waiting - 1} come first`]);
}

async function fulfil(
  { request, answer }: Order,
  options: Settings,
  { counts, stop }: { counts: Counts; stop: AbortSignal },
): Promise<void> {
  const began = Date.now();
  const result = await stage(request, options, stop);
  counts.add(result.error === undefined, Date.now() - began);
  answer(result);
}

function refusal(error: StagingError): StagingResult {
  return { task_id: randomBytes(16).toString("hex"), task_log: "", error: errorText(error) };
}
