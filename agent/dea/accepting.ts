import { z } from "zod";
import type { Message } from "../bus/bus.ts";
import { type DeaStart, deaStart, type StartAnswer } from "../bus/messages/instance.ts";
import { at, type Subject } from "../bus/subject.ts";
import { subjects } from "../bus/subjects.ts";
import { type Cell, gate, room } from "./cell.ts";
import { end } from "./ending.ts";
import { reserve } from "./reserving.ts";
import { type Refusal, refusal, unusable } from "./resources.ts";
import { begin } from "./starting.ts";

/** The start with its schema left open, so that one that is not as it should be gets an answer and not silence. */
export function startSubject(cell: Cell): Subject<unknown, StartAnswer> {
  return { ...at(subjects.deaUuidStart, { uuid: cell.self.id }), payload: z.unknown() };
}

export function onStart(cell: Cell, payload: unknown, message: Message<StartAnswer>) {
  const parsed = deaStart.safeParse(payload);
  const wrong = parsed.success
    ? unusable(parsed.data)
    : parsed.error.issues.map((one) => `${one.path.join(".")}: ${one.message}`)[0];
  if (!parsed.success || wrong) {
    cell.log.warn({ reason: wrong }, "A start was refused because its message can't be carried out.");
    return message.reply({ ok: false, reason: "bad_message" });
  }
  const start = parsed.data;
  const why = refusal(start, room(cell), gate(cell));
  const one = why ? undefined : reserve(cell, start);
  if (!one) return refuse(cell, { start, why: why ?? "no_clients", message });
  message.reply({ ok: true, instance: one.id });
  begin(cell, one, start);
}

const sentences: Record<Refusal, string> = {
  no_memory: "not enough memory is free on this DEA",
  no_disk: "not enough disk is free on this DEA",
  no_clients: "no place is free on this DEA",
  fs_full: "the file system of this DEA is full",
  bad_message: "the start message could not be read",
  shutting_down: "this DEA is shutting down",
  unsupported_runtime: "this DEA does not have the runtime or the stack",
};

/** Who asked learns the reason. Who just sent finds a crashed instance: silence would look like a lost message. */
function refuse(cell: Cell, { start, why, message }: { start: DeaStart; why: Refusal; message: Message<StartAnswer> }) {
  cell.log.info({ droplet: start.droplet, index: start.index, reason: why }, "A start was refused.");
  if (message.wantsReply) return message.reply({ ok: false, reason: why });
  if (cell.leaving) return;
  const one = reserve(cell, { ...start, uris: [], health_check: undefined, flapping: true });
  if (one) end(cell, one.id, {}, sentences[why]);
}
