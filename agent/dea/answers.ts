import type { z } from "zod";
import type { Subscription } from "../bus/bus.ts";
import type { deaUpdate } from "../bus/messages/instance.ts";
import type { DeaDiscover } from "../bus/messages/placement.ts";
import { subjects } from "../bus/subjects.ts";
import { onStart, startSubject } from "./accepting.ts";
import { registerAll } from "./adopting.ts";
import { background, type Cell, change, gate, list, room } from "./cell.ts";
import { found, stats } from "./found.ts";
import type { Instance } from "./instance.ts";
import { matches } from "./match.ts";
import { hello, offer, registration } from "./payloads.ts";
import { refusal, reserved, taint } from "./resources.ts";
import { holds } from "./states.ts";
import { stopInstance } from "./stopping.ts";
import { discard } from "./tidying.ts";
import { advertise, beatHeart } from "./voice.ts";

/** Everything a DEA listens to. */
export function listenToAll(cell: Cell): Subscription[] {
  const { bus, settings } = cell;
  const whenStaying = (act: () => void) => () => void (cell.leaving || act());
  return [
    bus.subscribe(startSubject(cell), (payload, message) => onStart(cell, payload, message)),
    bus.subscribe(subjects.deaDiscover, (wanted, message) => {
      if (refusal(wanted, room(cell), gate(cell)) !== undefined || !message.wantsReply) return;
      const answer = () => message.reply(offer(cell.self, list(cell), room(cell)));
      if (wanted.gather) return answer();
      setTimeout(answer, (delayFor(cell, wanted) * settings.beat) / 1000).unref();
    }),
    bus.subscribe(
      subjects.deaLocate,
      whenStaying(() => advertise(cell)),
    ),
    bus.subscribe(subjects.deaStatus, (_nothing, message) => message.reply(status(cell))),
    bus.subscribe(subjects.deaStop, (filter) => {
      for (const one of list(cell).filter((each) => matches(filter, each))) stopOne(cell, one);
    }),
    bus.subscribe(subjects.deaUpdate, (update) => onUpdate(cell, update)),
    bus.subscribe(subjects.deaFindDroplet, (filter, message) => {
      const visible = list(cell).filter((one) => one.state !== "STOPPED" && matches(filter, one));
      for (const one of visible) message.reply(foundOne(cell, one, filter.include_stats ?? false));
    }),
    bus.subscribe(subjects.dropletStatus, (_nothing, message) => {
      for (const one of list(cell).filter((each) => ["STARTING", "RUNNING"].includes(each.state)))
        message.reply(statsOf(cell, one));
    }),
    bus.subscribe(subjects.healthmanagerStart, () => beatHeart(cell)),
    bus.subscribe(subjects.routerStart, (start) => {
      cell.routes.heard(start);
      registerAll(cell);
    }),
  ];
}

function delayFor(cell: Cell, wanted: DeaDiscover): number {
  const here = list(cell).filter((one) => one.droplet === wanted.droplet).length;
  return taint(here, reserved(list(cell)).memory, cell.settings.capacity.memory);
}

function status(cell: Cell) {
  const held = reserved(list(cell));
  const used = [...cell.usage.values()].reduce((sum, one) => sum + one.memory, 0);
  return {
    ...hello(cell.self),
    max_memory: cell.settings.capacity.memory,
    reserved_memory: held.memory,
    used_memory: Math.round(used / 2 ** 20),
    num_clients: held.instances,
    ...(cell.leaving ? { state: "SHUTTING_DOWN" } : {}),
  };
}

function stopOne(cell: Cell, one: Instance): void {
  if (one.state === "CRASHED") background(cell, discard(cell, one));
  else if (holds(one)) stopInstance(cell, one.id, { doom: { reason: "STOPPED", description: "stopped" } });
}

function onUpdate(cell: Cell, { droplet, uris }: z.output<typeof deaUpdate>): void {
  for (const one of list(cell).filter((each) => each.droplet === droplet)) {
    change(cell, one.id, (each) => ({ ...each, uris: [...new Set(uris)] }));
    if (one.port === undefined || !["RUNNING", "EVACUATING"].includes(one.state)) continue;
    const added = uris.filter((uri) => !one.uris.includes(uri));
    const removed = one.uris.filter((uri) => !uris.includes(uri));
    if (added.length > 0) cell.routes.register(registration(cell.self, one, added));
    if (removed.length > 0) cell.routes.unregister(registration(cell.self, one, removed));
  }
}

const statsOf = (cell: Cell, one: Instance) =>
  stats(cell.self, one, { usage: cell.usage.get(one.id), now: Date.now() });

function foundOne(cell: Cell, one: Instance, withStats: boolean) {
  const shown = withStats && one.state === "RUNNING" ? statsOf(cell, one) : undefined;
  return found(cell.self, one, { credentials: cell.credentials, stats: shown });
}
