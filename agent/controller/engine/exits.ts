import { createHash } from "node:crypto";
import type { Subscription } from "../../bus/bus.ts";
import type { DropletExited } from "../../bus/messages/instance.ts";
import { subjects } from "../../bus/subjects.ts";
import type { App, Event, Process } from "../records.ts";
import type { News } from "./news.ts";
import type { EngineOptions } from "./options.ts";
import type { Slots } from "./slots.ts";
import type { Voice } from "./voice.ts";

/** Remembers why slots do not run, and writes a crash once into the audit events although every controller hears it. */
export function exits({
  bus,
  tables,
  log,
  slots,
  voice,
  news,
}: EngineOptions & { slots: Slots; voice: Voice; news: News }): Subscription {
  return bus.subscribe(subjects.dropletExited, async (exit) => {
    const process = tables.processes.get(exit.droplet);
    const app = process && tables.apps.get(process.app);
    if (!app || exit.version !== process.version || exit.index >= process.instances) return;
    const crashed = exit.reason === "CRASHED";
    const details = crashed ? describe(exit) : `the instance was ended: ${exit.reason}`;
    slots.note(process.guid, exit.index, { details, at: Date.now(), instance: exit.instance, crashed });
    news.tell([process.guid]);
    if (!crashed) return;
    try {
      await tables.events.insert(crashEvent(exit, { process, app, at: new Date().toISOString() }));
    } catch {
      log.debug({ instance: exit.instance }, "another controller has noted the crash");
      return;
    }
    voice.line(app.guid, `instance ${exit.index} of ${process.type} crashed: ${details}`);
    voice.system("CRASH", `${app.name}/${exit.index}`, details);
  });
}

/** `exit status 137: out of memory`. */
export function describe({ exit_status, exit_description }: Pick<DropletExited, "exit_status" | "exit_description">) {
  const status = exit_status >= 0 ? `exit status ${exit_status}` : "";
  return [status, exit_description].filter(Boolean).join(": ") || "the instance ended unasked";
}

function crashEvent(exit: DropletExited, { process, app, at }: { process: Process; app: App; at: string }): Event {
  return {
    guid: guidOf(exit.instance),
    created_at: at,
    updated_at: at,
    type: "app.crash",
    actor: { guid: process.guid, type: "process", name: process.type },
    target: { guid: app.guid, type: "app", name: app.name },
    data: {
      instance: exit.instance,
      index: exit.index,
      exit_status: exit.exit_status,
      exit_description: exit.exit_description,
      reason: exit.reason,
    },
    space: app.space,
  };
}

/** The same guid on every controller: the second insert fails. */
function guidOf(instance: string): string {
  const hex = createHash("sha256").update(`crash ${instance}`).digest("hex");
  return [8, 4, 4, 4, 12]
    .map((length, at, all) => hex.slice(sum(all.slice(0, at)), sum(all.slice(0, at)) + length))
    .join("-");
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
