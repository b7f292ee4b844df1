import type { Bus } from "../bus/bus.ts";
import { at } from "../bus/subject.ts";
import { subjects } from "../bus/subjects.ts";
import type { Log } from "../run/log.ts";
import type { Counters } from "./counters.ts";
import type { Outcome, Turn } from "./mind.ts";

export interface Speaker {
  say(outcome: Outcome): void;
  /** What a turn decided, and a line for the operator whenever the state of things changes. */
  turned(turn: Turn, leads: boolean): void;
}

/** Puts what the mind decided onto the bus and into the log. */
export function speaker({ bus, log, counters }: { bus: Bus; log: Log; counters: Counters }): Speaker {
  let closed: string | undefined = "it has just started";
  let led = false;
  const say = ({ requests, notices }: Outcome) => {
    for (const request of requests) {
      bus.publish(subjects.hmRequests, request);
      if (request.op === "START") counters.health_start_messages_sent++;
      else counters.health_stop_messages_sent++;
      log.info(
        { request },
        request.op === "START" ? "asking for instances to be started" : "asking for instances to be stopped",
      );
    }
    for (const { app, index, text } of notices) {
      const lines = [{ at: Date.now(), err: true, text }];
      bus.publish(at(subjects.log, { app }), { app, source: "HEALTH", instance: String(index), lines });
    }
  };
  return {
    say,
    turned(turn, leads) {
      if (leads !== led) log.info({}, leads ? "this health manager leads now" : "another health manager may lead now");
      led = leads;
      if (turn.closed !== closed) {
        if (turn.closed) log.warn({ because: turn.closed }, "nothing is decided for now");
        else log.info({}, "everything known is fresh: deciding");
      }
      closed = turn.closed;
      if (turn.later > 0)
        log.error(
          { later: turn.later },
          "many instances are to be stopped at once: the rest waits for the next rounds",
        );
      say(turn);
    },
  };
}
