import type { z } from "zod";
import type { hmHealth, hmHealthReply, hmStatus, hmStatusReply } from "../bus/messages/health.ts";
import { type App, fills, type Slot } from "./actual.ts";
import type { Thresholds } from "./thresholds.ts";

type Apps = ReadonlyMap<string, App>;

/** One answer for each app we know; of the others nothing. */
export function healthOf(question: z.output<typeof hmHealth>, apps: Apps): z.output<typeof hmHealthReply>[] {
  return question.droplets.flatMap(({ droplet, version }) => {
    const app = apps.get(droplet);
    if (!app) return [];
    const running = [...app.instances.values()].filter((one) => one.version === version && one.state === "RUNNING");
    return [{ droplet, version, healthy: new Set(running.map(({ index }) => index)).size }];
  });
}

/** Flapping slots or known crashes of an app; undefined (silence) for everything else. */
export function statusOf(
  { droplet, version, state }: z.output<typeof hmStatus>,
  apps: Apps,
  times: Thresholds,
): z.output<typeof hmStatusReply> | undefined {
  const app = apps.get(droplet);
  if (!app) return undefined;
  if (state === "CRASHED")
    return { instances: [...app.crashes.values()].map(({ instance, since }) => ({ instance, since })) };
  if (state !== "FLAPPING") return undefined;
  const slots = [...app.slots.values()].filter((slot) => slot.version === version && flaps(slot, app, times));
  return { indices: slots.map(({ index, crashedAt }) => ({ index, since: crashedAt })) };
}

/** A slot flaps while it waits for a delayed start, or is given up. */
export function flaps(slot: Slot, app: App, times: Thresholds): boolean {
  if (slot.crashes <= times.freeCrashes) return false;
  return !app.instances.values().some((one) => one.index === slot.index && one.version === slot.version && fills(one));
}
