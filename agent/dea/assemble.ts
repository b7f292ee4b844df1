import { componentId } from "../bus/presence.ts";
import type { Cell } from "./cell.ts";
import { droplets } from "./droplets.ts";
import type { FileServer } from "./files.ts";
import { type DeaOptions, layout, type Settings } from "./options.ts";
import type { Self } from "./payloads.ts";
import { ports } from "./ports.ts";
import { processDriver } from "./processDriver.ts";
import { routes } from "./routes.ts";
import { type Snapshot, saver } from "./snapshot.ts";

interface Parts {
  saved: Snapshot | undefined;
  files: FileServer;
  /** Ends downloads. */
  stop: AbortSignal;
}

/** Puts a DEA together from its settings and what the last run left. */
export async function assemble(options: DeaOptions, settings: Settings, { saved, files, stop }: Parts): Promise<Cell> {
  const { bus, beat, home } = settings;
  const place = layout(home);
  const driver = options.driver ?? processDriver({ root: place.instances });
  await driver.open();
  const self = selfOf(settings, { saved, filePort: files.port });
  const log = settings.log.child({ dea: self.id });
  log.warn({ driver: driver.name, user: driver.user, missing: driver.missing }, "Instances are not fully isolated.");
  const resting = { normal: 2 * beat, late: 120 * beat };
  // A port whose farewell nobody confirmed before the agent went rests the whole life of a route.
  const rested = saved?.ports.resting.map((one) => ({ ...one, until: one.until ?? Date.now() + resting.late }));
  const cell: Cell = {
    settings,
    self,
    bus,
    log,
    driver,
    droplets: droplets({ directory: place.droplets, limit: settings.dropletCache, stop }),
    ports: ports(settings.instancePorts, resting, saved && { next: saved.ports.next, resting: rested ?? [] }),
    routes: routes({ bus, beat }),
    saver: saver(place.snapshot, () => taken(cell), log),
    credentials: files.credentials,
    instances: new Map(),
    live: new Map(),
    aborts: new Map(),
    logs: new Map(),
    usage: new Map(),
    telling: new Set(),
    work: new Set(),
    nextSlot: saved?.nextSlot ?? 0,
    used: 0,
    leaving: false,
    silent: true,
    closed: false,
  };
  return cell;
}

/**
 * The protocol makes a new id on each start. Ours is kept: the instances are the same, and a health manager that saw
 * another DEA would wait for the old one's to be lost. Where the id follows from who the node is, an older one is given
 * up, and the instances go on under the new one.
 */
function selfOf(settings: Settings, { saved, filePort }: { saved: Snapshot | undefined; filePort: number }): Self {
  const { index, address, zone, stacks, runtimes, capacity, tls } = settings;
  const kept = saved?.id.startsWith(`${index}-`) ? saved.id : componentId(index);
  return { id: settings.id ?? kept, index, address, filePort, zone, stacks, runtimes, capacity, tls };
}

function taken(cell: Cell): Snapshot {
  return {
    id: cell.self.id,
    ports: cell.ports.state,
    nextSlot: cell.nextSlot,
    instances: [...cell.instances.values()],
    offsets: Object.fromEntries([...cell.logs].map(([id, { offsets }]) => [id, offsets])),
  };
}
