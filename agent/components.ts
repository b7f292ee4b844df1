import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { NodeSpec } from "../roles/node.ts";
import type { Bus } from "./bus/bus.ts";
import type { Dialed } from "./bus/nats.ts";
import type { PortRange } from "./bus/status.ts";
import type { Tls } from "./bus/web.ts";
import { controller } from "./controller/controller.ts";
import { core } from "./core/core.ts";
import { dea } from "./dea/dea.ts";
import { health } from "./health/health.ts";
import { identityFiles } from "./identity/files.ts";
import { type Membership, membershipOf, type Party } from "./membership.ts";
import type { Joined, NodeOptions } from "./node.ts";
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
  /** What its servers show to other nodes. */
  tls?: Tls;
  /** Where its status server may listen. */
  statusPorts: PortRange;
}

type Make = (common: Common, dialed: Dialed) => Runner | Promise<Runner>;

export interface Ground extends Pick<NodeOptions, "identity"> {
  version: string;
  make: (component: string) => Runner;
  join: (stop: AbortSignal) => Promise<Joined>;
}

export const version = (
  JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string }
).version;

/** What a node stands on: its components by name (this is the only list of them), and its way to the bus. */
export function ground(spec: NodeSpec, log: Log): Ground {
  const { beat, domain, ports } = spec;
  const belonging = membershipOf(spec, log);
  const path = spec.path ?? `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;
  // On three cores everything is kept three times, so that one of them may be lost.
  const replicas = (spec.join?.cores.length ?? 1) >= 3 ? 3 : 1;
  const onBus = (component: Party, make: Make) => memberOfBus({ spec, log, belonging, component, make });
  const storeOf = ({ connection }: Dialed, own: Log) => jetstreamStore(connection, { log: own, replicas });
  const list: Readonly<Record<string, () => Runner>> = {
    core: () => core(coreOptions(spec, log)),
    dea: () =>
      onBus("dea", async (common) => dea({ ...common, ...deaOptions(spec, path), ...(await ownId(belonging)) })),
    router: () => onBus("router", (common) => router({ ...common, ...routerOptions(spec) })),
    stager: () => onBus("stager", (common) => stager({ ...common, path })),
    controller: () =>
      onBus("controller", (common, dialed) =>
        controller({
          ...common,
          store: storeOf(dialed, common.log),
          blobs: objectBlobs(dialed.connection, { replicas }),
          port: ports.controller,
          domain,
          version,
          ...(spec.join ? { newcomer: { cluster: spec.cluster, beat, crashLifetime: spec.crashLifetime, ports } } : {}),
        }),
      ),
    health: () => onBus("health", (common, dialed) => health({ ...common, store: storeOf(dialed, common.log) })),
  };
  return {
    version,
    ...(belonging.identity ? { identity: belonging.identity } : {}),
    make(component) {
      const one = list[component];
      if (!one) throw new Error(`there is no component called ${component}`);
      return one();
    },
    join: (stop) => belonging.dial("node", stop),
  };
}

interface OnBus {
  spec: NodeSpec;
  log: Log;
  belonging: Membership;
  component: Party;
  make: Make;
}

/** A component with a connection of its own, which it leaves when it ends. */
function memberOfBus({ spec, log, belonging, component, make }: OnBus): Runner {
  const { index, address, beat, ports } = spec;
  return {
    name: component,
    async run(stop, ready) {
      const dialed = await comingTo(belonging, component, stop);
      if (!dialed) return;
      const common: Common = {
        ...{ bus: dialed.bus, log: log.child({ component }), index, address, beat, statusPorts: ports.status },
        home: join(spec.home, component),
        ...(belonging.tls ? { tls: belonging.tls } : {}),
      };
      try {
        await (await make(common, dialed)).run(stop, ready);
      } finally {
        await dialed.close();
      }
    },
  };
}

/** Being stopped on the way to the bus is no failure. */
async function comingTo(belonging: Membership, component: Party, stop: AbortSignal): Promise<Dialed | undefined> {
  try {
    return (await belonging.ready(stop)) ? await belonging.dial(component, stop) : undefined;
  } catch (error) {
    if (stop.aborted) return undefined;
    throw error;
  }
}

function coreOptions(spec: NodeSpec, log: Log): Parameters<typeof core>[0] {
  const { id: node, cluster: name, index, address, beat, home, ports, roles, trace } = spec;
  const identity = identityFiles(home).directory;
  return {
    ...{ index, address, beat, home: join(home, "core"), port: ports.nats, statusPorts: ports.status },
    log: log.child({ component: "core" }),
    program: join(spec.tools, "nats-server"),
    ...(trace ? { trace } : {}),
    ...(spec.join ? { cluster: { node, name, identity, ...clusterOf(spec.join), routes: ports.routes, roles } } : {}),
  };
}

function deaOptions(spec: NodeSpec, path: string) {
  const { apps, memory, disk, zone, ports, crashLifetime, onStop } = spec;
  return {
    ...(apps ? { home: apps } : {}),
    capacity: { memory, disk, instances: 1000 },
    ...{ zone, stacks: [], runtimes: [], crashLifetime, onStop, path },
    ...{ filePort: ports.files, instancePorts: ports.instances },
  };
}

async function ownId(belonging: Membership): Promise<{ id?: string }> {
  const id = await belonging.deaId();
  return id ? { id } : {};
}

function routerOptions({ tools, ports, domain, bind, address, join: joining }: NodeSpec) {
  const authority = joining ? { ca: joining.ca } : {};
  return { haproxy: join(tools, "haproxy"), port: ports.router, domain, bind: bind ?? address, ...authority };
}

const clusterOf = ({ cores, ca, instance }: NonNullable<NodeSpec["join"]>) => ({ cores, ca, instance });
