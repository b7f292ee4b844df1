import { randomBytes } from "node:crypto";
import type { Bus, Message } from "../bus/bus.ts";
import type { StagingRequest, StagingResult } from "../bus/messages/staging.ts";
import { at } from "../bus/subject.ts";
import { subjects } from "../bus/subjects.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import { makeAmends } from "./amends.ts";
import type { Counts } from "./counts.ts";
import { stage } from "./job.ts";
import { type Journal, journal } from "./journal.ts";
import { stopping } from "./limited.ts";
import type { Settings } from "./options.ts";
import { type Order, ordering } from "./order.ts";
import { output } from "./output.ts";
import { type Queue, queue } from "./queue.ts";
import { errorText, StagingError } from "./stagingError.ts";
import { clean } from "./workspace.ts";

/** Takes staging requests off the bus and works through them, in order, so many at once. Each gets exactly one answer. */
export function intake(options: Settings, counts: Counts): Runner {
  return {
    name: "intake",
    async run(stop, ready) {
      const { home, user, cacheDir, bus, log } = options;
      await clean({ home, cacheDir, user });
      const written = journal(home);
      const left = await written.left();
      const cancel = new AbortController();
      const orders = queue<Order>({ slots: options.slots, limit: options.waiting }, (order) =>
        fulfil(order, options, { counts, stop: cancel.signal }),
      );
      counts.watch(orders);
      const { settled, leave } = listen(options, orders, written);
      await bus.flush();
      ready();
      makeAmends({ ...options, journal: written }, left, stop).catch((error: unknown) =>
        log.warn({ error: String(error) }, "not all torn-off stagings could be answered"),
      );
      await stopped(stop);
      leave();
      for (const { answer } of orders.close()) answer(refusal(stopping()));
      await Promise.race([orders.idle(), sleep(options.grace * options.beat)]);
      cancel.abort();
      await orders.idle();
      // A bus that is away must not keep the stager from ending.
      await Promise.race([bus.flush().then(settled), sleep(options.beat)]);
    },
  };
}

function listen(options: Settings, orders: Queue<Order>, written: Journal) {
  const { bus, log, waiting } = options;
  const { order, settled } = ordering(options, written);
  let left = false;
  const take = async (request: StagingRequest, message: Message<StagingResult>) => {
    const one = await order(request, message);
    if (orders.add(one)) return tellWaiting(bus, request, orders);
    log.warn({ app: request.app_id, waiting }, "a staging is refused: too many wait, or the stager stops");
    one.answer(refusal(left ? stopping() : tooMany(waiting)));
  };
  const heard = [bus.subscribe(at(subjects.stager, { queue: "staging" }), take), bus.subscribe(subjects.staging, take)];
  const leave = () => {
    left = true;
    for (const one of heard) one.stop();
  };
  return { settled, leave };
}

function tooMany(waiting: number): StagingError {
  const hint = "try again in a while, or add a node with the role stager";
  return new StagingError("TaskError", `${waiting} stagings wait already`, { hint });
}

/** A person who pushes should not look at nothing while others come first. */
function tellWaiting(bus: Bus, { app_id }: StagingRequest, { running, waiting }: Queue<Order>): void {
  if (waiting > 0) output(bus, app_id).lines([`Waiting for a stager: ${running + waiting - 1} come first`]);
}

async function fulfil(
  { task, request, answer }: Order,
  options: Settings,
  { counts, stop }: { counts: Counts; stop: AbortSignal },
): Promise<void> {
  const began = Date.now();
  const result = await stage({ task, request }, options, stop);
  counts.add(result.error === undefined, Date.now() - began);
  answer(result);
}

function refusal(error: StagingError): StagingResult {
  return { task_id: randomBytes(16).toString("hex"), task_log: "", error: errorText(error) };
}
