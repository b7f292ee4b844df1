import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Bus } from "../bus/bus.ts";
import type { Log } from "../run/log.ts";
import type { Box, Contained, Driver } from "./driver.ts";
import type { Droplets } from "./droplets.ts";
import type { Usage } from "./found.ts";
import type { Instance } from "./instance.ts";
import type { InstanceLogs } from "./instanceLogs.ts";
import { layout, type Settings } from "./options.ts";
import type { Self } from "./payloads.ts";
import type { Ports } from "./ports.ts";
import { type Capacity, free, type Gate } from "./resources.ts";
import type { Routes } from "./routes.ts";
import type { Saver } from "./snapshot.ts";

/** One DEA while it runs: what all its parts look at and change. */
export interface Cell {
  readonly settings: Settings;
  readonly self: Self;
  readonly bus: Bus;
  readonly log: Log;
  readonly driver: Driver;
  readonly droplets: Droplets;
  readonly ports: Ports;
  readonly routes: Routes;
  readonly saver: Saver;
  readonly credentials: [string, string];
  readonly instances: Map<string, Instance>;
  /** What runs, what is being prepared, and what is heard of it, by instance id. */
  readonly live: Map<string, Contained>;
  readonly aborts: Map<string, AbortController>;
  readonly logs: Map<string, InstanceLogs>;
  readonly usage: Map<string, Usage>;
  /** Exits that are being told right now. */
  readonly telling: Set<string>;
  /** Work that outlives the message that began it. */
  readonly work: Set<Promise<unknown>>;
  nextSlot: number;
  /** Used part of the file system, 0..1. */
  used: number;
  /** No new work is taken. */
  leaving: boolean;
  /** Heartbeats are held back: before adoption they would tell of an empty DEA, while evacuating of a healthy one. */
  silent: boolean;
  /** This run is over; what still happens belongs to the next. */
  closed: boolean;
}

export const list = (cell: Cell): Instance[] => [...cell.instances.values()];

export const room = (cell: Cell): Capacity => free(cell.settings.capacity, list(cell));

export const gate = ({ leaving, used, settings }: Cell): Gate => ({
  leaving,
  used,
  threshold: settings.diskThreshold,
  runtimes: settings.runtimes,
  stacks: settings.stacks,
});

/** Puts the changed record in the place of the old one. Undefined when there is none, or nothing changed. */
export function change(cell: Cell, id: string, how: (one: Instance) => Instance): Instance | undefined {
  const old = cell.instances.get(id);
  const next = old && how(old);
  if (!next || next === old) return undefined;
  cell.instances.set(id, next);
  cell.saver.dirty();
  return next;
}

export function boxOf(cell: Cell, one: Instance): Box {
  const { id, slot, limits } = one;
  return { id, slot, limits, directory: join(layout(cell.settings.home).instances, one.directory) };
}

/** A number for a user that no instance here has: not even a retained one, whose files would be readable. */
export function takeSlot(cell: Cell): number {
  const taken = new Set(list(cell).map((one) => one.slot));
  while (taken.has(cell.nextSlot)) cell.nextSlot = (cell.nextSlot + 1) % 10_000;
  const slot = cell.nextSlot;
  cell.nextSlot = (slot + 1) % 10_000;
  return slot;
}

export const hex = (bytes: number) => randomBytes(bytes).toString("hex");

/** Lets work go on by itself; a failure nobody waits for is logged. */
export function background(cell: Cell, work: Promise<unknown>): void {
  const kept = work
    .catch((error) => cell.log.error({ error: String(error) }, "Something went wrong with an instance."))
    .finally(() => cell.work.delete(kept));
  cell.work.add(kept);
}
