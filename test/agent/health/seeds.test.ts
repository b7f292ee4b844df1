import { describe, expect, test } from "vitest";
import type { HmRequest } from "../../../agent/bus/messages/health.ts";
import { World } from "../../support/health.ts";

const settle = 3000;

/** Requests that are wrong whatever has happened; `said` collects them in words. */
function watch(world: World, said: string[]): void {
  world.onRequest = (request) => {
    if (world.now - world.disturbed < settle)
      said.push(`${world.now}: ${request.op} of ${request.droplet} before all was fresh`);
    said.push(...(request.op === "START" ? needless(world, request) : harmful(world, request)));
  };
}

/** A start of a slot in which an instance can be heard. */
function needless(world: World, { droplet, version, indices = [] }: HmRequest): string[] {
  const heard = world.deas.filter((dea) => dea.up && dea.reachable).flatMap((dea) => [...dea.held.values()]);
  const there = heard.filter(
    ({ entry }) => entry.droplet === droplet && entry.version === version && entry.state === "RUNNING",
  );
  const filled = new Set(there.filter(({ age }) => age > 1).map(({ entry }) => entry.index));
  return indices
    .filter((index) => filled.has(index))
    .map((index) => `${world.now}: START of ${droplet}/${index}, which runs`);
}

/** A stop that would be obeyed and takes the last instance of a slot that is wanted. */
function harmful(world: World, { droplet, instances = [], last_updated }: HmRequest): string[] {
  const app = world.apps.get(droplet);
  if (app?.state !== "STARTED" || app.updatedAt !== last_updated) return [];
  const justGone = world.ghosts.filter(({ at }) => world.now - at <= 1000).map(({ entry }) => entry);
  const all = [...world.running(droplet), ...justGone.filter((one) => one.droplet === droplet)];
  const left = all.filter(({ instance }) => !instances.includes(instance));
  const hit = world.running(droplet).filter(({ instance }) => instances.includes(instance));
  return hit
    .filter(({ version, index }) => version === app.version && index < app.instances)
    .filter(({ index }) => !left.some((one) => one.index === index && one.version === app.version))
    .map(({ index }) => `${world.now}: STOP of ${droplet}/${index}, which is wanted`);
}

type Event = (world: World, some: (below: number) => number) => void;

const app = (i: number) => `app${i}`;

const events: Event[] = [
  (world, some) => world.change(app(some(6)), { instances: 1 + some(5) }, some(3) > 0),
  (world, some) => world.change(app(some(6)), { version: `v${some(9)}` }, some(3) > 0),
  (world, some) => world.change(app(some(6)), { state: some(3) === 0 ? "STOPPED" : "STARTED" }, some(3) > 0),
  (world, some) => world.remove(app(some(6)), some(3) > 0),
  (world, some) => {
    const all = world.running();
    world.crash(all[some(all.length)]?.instance ?? "");
  },
  (world, some) => world.killDea(some(4)),
  (world, some) => {
    world.dea(some(4)).up = true;
  },
  (world, some) => world.cut(some(4), some(2) === 0),
  (world, some) => world.bus(some(2) === 0),
  (world, some) => {
    world.controllerUp = some(3) > 0;
  },
  (world, some) => {
    world.leader = some(3) - 1;
  },
  (world, some) => world.bootMind(some(2)),
  (world, some) => world.sleepMinds(some(12)),
];

function calm(world: World): void {
  world.bus(true);
  world.controllerUp = true;
  world.leader = Math.max(0, world.leader);
  for (const dea of world.deas) {
    dea.up = true;
    dea.reachable = true;
  }
}

function live(seed: number): { said: string[]; wrong: string[] } {
  const thresholds = { minDelay: 2, maxDelay: 8 };
  const world = new World({ deas: 4, minds: 2, seed, thresholds });
  const said: string[] = [];
  watch(world, said);
  const some = (below: number) => Math.floor(world.random() * below);
  for (let i = 0; i < 5; i++) world.change(app(i), { instances: 1 + some(4) });
  world.tick(12);
  for (let step = 0; step < 60; step++) {
    // A controller that cannot reach the bus changes nothing that others would not hear of.
    const able = world.busUp && world.controllerUp ? events : events.slice(4);
    able[some(able.length)]?.(world, some);
    world.tick(1 + some(4));
  }
  calm(world);
  world.tick(120);
  return { said, wrong: world.wrong() };
}

describe("whatever happens", () => {
  test("no seed of two hundred starts what runs, stops what is wanted, acts too early, or fails to repair", () => {
    for (let seed = 1; seed <= 200; seed++) expect({ seed, ...live(seed) }).toEqual({ seed, said: [], wrong: [] });
  });
});
