import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { NodeSpec } from "../roles/node.ts";
import type { Bus } from "./bus/bus.ts";
import { type Dialed, dial } from "./bus/nats.ts";
import type { BusUser } from "./bus/permissions.ts";
import { controller } from "./controller/controller.ts";
import { core } from "./core/core.ts";
import { coreCredentials } from "./core/keys.ts";
import { dea } from "./dea/dea.ts";
import { health } from "./health/health.ts";
import type { Joined } from "./node.ts";
import { router } from "./router/router.ts";
import type { Log } from "./run/log.ts";
import type { Runner } from "./run/runner.ts";
import { stager } from "./stager/stager.ts";
import { jetstreamStore } from "./store/jetstream.ts";
import { objectBlobs } from "./store/objects.ts";

/** What every component is given. */
interface Common {
  bus: Bus;
  log: Log;
  index: number;
  address: string;
  beat: number;
  home: string;
}

type Party = Exclude<BusUser, "watch">;
type Make = (common: Common, dialed: Dialed) => Runner;

export interface Ground {
  version: string;
  make: (component: string) => Runner;
  join: (stop: AbortSignal) => Promise<Joined>;
}

export const version = (
  JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string }
).version;

/** What a node stands on: its components by name (this is the only list of them), and its way to bus and store. */
export function ground(spec: NodeSpec, log: Log): Ground {
  const { index, address, beat, domain, ports, zone } = spec;
  const path = spec.path ?? `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
  const homeOf = (component: string) => join(spec.home, component);
  const dialAs = async (party: Party, stop: AbortSignal) => {
    const seed = (await coreCredentials(homeOf("core"))).seeds[party];
    const servers = `nats://${address}:${ports.nats}`;
    return await dial({ servers, name: `${party}-${index}`, user: party, seed, log, stop });
  };
  const onBus = (component: Party & string, make: Make): Runner => ({
    name: component,
    async run(stop, ready) {
      const dialed = await dialAs(component, stop).catch((error) => {
        if (!stop.aborted) throw error;
      });
      if (!dialed) return;
      const home = component === "dea" && spec.apps ? spec.apps : homeOf(component);
      const own = log.child({ component });
      try {
        await make({ bus: dialed.bus, log: own, index, address, beat, home }, dialed).run(stop, ready);
      } finally {
        await dialed.close();
      }
    },
  });
  const list: Readonly<Record<string, () => Runner>> = {
    core: () =>
      core({
        log: log.child({ component: "core" }),
        index,
        address,
        beat,
        home: homeOf("core"),
        program: join(spec.tools, "nats-server"),
        port: ports.nats,
        ...(spec.trace ? { trace: spec.trace } : {}),
      }),
    dea: () =>
      onBus("dea", (common) =>
        dea({
          ...common,
          capacity: { memory: spec.memory, disk: spec.disk, instances: 1000 },
          zone,
          stacks: [],
          runtimes: [],
          filePort: ports.files,
          instancePorts: ports.instances,
          crashLifetime: spec.crashLifetime,
          onStop: spec.onStop,
          path,
        }),
      ),
    router: () =>
      onBus("router", (common) =>
        router({
          ...common,
          haproxy: join(spec.tools, "haproxy"),
          port: ports.router,
          domain,
          bind: spec.bind ?? address,
        }),
      ),
    stager: () => onBus("stager", (common) => stager({ ...common, path })),
    controller: () =>
      onBus("controller", (common, { connection }) =>
        controller({
          ...common,
          store: jetstreamStore(connection, { log: common.log }),
          blobs: objectBlobs(connection),
          port: ports.controller,
          domain,
          version,
        }),
      ),
    health: () =>
      onBus("health", (common, { connection }) =>
        health({ ...common, store: jetstreamStore(connection, { log: common.log }) }),
      ),
  };
  return {
    version,
    make(component) {
      const one = list[component];
      if (!one) throw new Error(`there is no component called ${component}`);
      return one();
    },
    async join(stop) {
      const { bus, connection, close } = await dialAs("node", stop);
      return { bus, store: jetstreamStore(connection, { log }), close };
    },
  };
}
