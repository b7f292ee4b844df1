import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { Bus } from "../bus/bus.ts";
import { componentId, presence } from "../bus/presence.ts";
import type { PortRange } from "../bus/status.ts";
import { type Tls, webAddress } from "../bus/web.ts";
import { every } from "../run/every.ts";
import { group } from "../run/group.ts";
import type { Log } from "../run/log.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import type { Blobs } from "../store/blobs.ts";
import type { Store } from "../store/store.ts";
import type { Api } from "./api/api.ts";
import { passwords } from "./api/passwords.ts";
import { bareServer, mountApi } from "./api/server.ts";
import { throttle } from "./api/throttle.ts";
import { type Background, background } from "./background.ts";
import { type CreatedEngine, createEngine } from "./engine/createEngine.ts";
import type { Newcomer } from "./engine/membership.ts";
import { listen } from "./listener.ts";
import { recover } from "./recover.ts";
import { sharedKeys } from "./sharedKeys.ts";
import { openTables, type Tables } from "./tables.ts";
import { tidy } from "./tidy.ts";

export interface ControllerOptions {
  /** Connected already, and this component's own. */
  bus: Bus;
  store: Store;
  /** `sweep` removes what broken uploads left behind more than so many ms ago; resolves to how many. */
  blobs: Blobs & { sweep?(age: number): Promise<number> };
  log: Log;
  index: number;
  /** IP at which other nodes reach this one. */
  address: string;
  /** Milliseconds. */
  beat: number;
  /** What its servers show to other nodes; without it they speak HTTP. */
  tls?: Tls | undefined;
  /** Where the status server may listen. Absent: any free port. */
  statusPorts?: PortRange | undefined;
  /** Directory for uploads on their way; made when it is not there. */
  home: string;
  /** 9022; 0: any free port. */
  port?: number;
  /** Told of the port when the API listens. */
  onListening?: (port: number) => void;
  /** Of the cluster: apps get names under it, the API is `api.<domain>`. */
  domain: string;
  version: string;
  /** Bytes of one upload; 1 GiB. */
  uploadLimit?: number;
  /** Name of the stack of apps that ask for none; DEAs that name their stacks must have it among them. */
  stack?: string;
  /** From where the license step may be taken; `loopback`. */
  licenseFrom?: "loopback" | "anywhere";
  /** Component types without which the cluster is not ready. */
  expected?: readonly string[];
  /** What machines are told that are to become nodes; absent: the cluster is one machine, and stays it. */
  newcomer?: Newcomer | undefined;
}

const allTypes = ["Core", "CloudController", "HealthManager", "Router", "Stager", "DEA"];

/** The controller: the API, and behind it the engine that carries out on the bus what the API writes down. */
export function controller(options: ControllerOptions): Runner {
  return {
    name: "controller",
    async run(stop, ready) {
      const { store, home } = options;
      await mkdir(home, { recursive: true, mode: 0o700 });
      const tables = await openTables(store);
      try {
        const made = await assemble(options, tables);
        await group("controller", members(options, made)).run(stop, ready);
      } finally {
        tables.close();
      }
    },
  };
}

interface Made {
  api: Api;
  engine: CreatedEngine;
  work: Background;
  server: FastifyInstance;
  /** Where this controller listens, once it does. */
  bound: { port: number };
}

async function assemble(options: ControllerOptions, tables: Tables): Promise<Made> {
  const { log, address, home, tls } = options;
  const keys = await sharedKeys(tables);
  const bound = { port: options.port ?? 9022 };
  const url = () => webAddress(tls, address, bound.port);
  const engine = createEngine({ ...options, tables, keys, url });
  const work = background(log);
  const api: Api = {
    ...settings(options),
    log,
    blobs: options.blobs,
    tables,
    keys,
    engine: engine.engine,
    members: engine.membership,
    files: engine.files,
    passwords: passwords(),
    throttle: throttle(),
    id: await ownId(home),
    uploads: await emptyDirectory(join(home, "uploads")),
    background: work.begin,
  };
  const server = bareServer(log, tls);
  engine.mount(server);
  mountApi(server, api);
  return { api, engine, work, server, bound };
}

function settings({ domain, version, uploadLimit, stack, licenseFrom, expected }: ControllerOptions) {
  return {
    domain: domain.toLowerCase(),
    version,
    uploadLimit: uploadLimit ?? 1024 ** 3,
    stack: stack ?? "tutti",
    licenseFrom: licenseFrom ?? ("loopback" as const),
    expected: expected ?? allTypes,
  };
}

function members(options: ControllerOptions, { api, engine, work, server, bound }: Made): Runner[] {
  const { bus, log, index, address, beat, tls, statusPorts } = options;
  const onError = (error: unknown) => log.warn({ error: String(error) }, "Tidying up has failed this time");
  const uuid = componentId(index);
  let own = true;
  const tidyUp = async () => {
    await recover(api, { beat, own });
    own = false;
    await tidy(api.tables, Date.now());
  };
  return [
    http(options, server, bound),
    engine.runner,
    every("tidying", { interval: 60 * beat, onError }, tidyUp),
    every("sweeping", { interval: 3600 * beat, onError }, () => work.begin("sweeping", () => sweepUp(options))),
    presence({ bus, type: "CloudController", index, uuid, address, tls, statusPorts, varz: engine.varz, log }),
    // Stops first: what has been begun is brought to its end while everything else still stands.
    ending(work),
  ];
}

/** Milliseconds: an upload of which nothing was heard for so long has ended, however slow its client is. */
const cutOff = 3600 * 1000;

/** Clears away uploads that a crash has cut off on their way into the blobs. */
async function sweepUp({ blobs, log }: Pick<ControllerOptions, "blobs" | "log">): Promise<void> {
  const uploads = (await blobs.sweep?.(cutOff)) ?? 0;
  if (uploads > 0) log.info({ uploads }, "What broken uploads had left in the blob store is gone");
}

/** Milliseconds that work in the background gets when the controller stops. */
const patience = 10_000;

const ending = ({ settled }: Background): Runner => ({
  name: "background",
  async run(stop, ready) {
    ready();
    await stopped(stop);
    const late = new AbortController();
    await Promise.race([settled(), sleep(patience, late.signal)]);
    late.abort();
  },
});

function http({ address, onListening }: ControllerOptions, server: FastifyInstance, bound: Made["bound"]): Runner {
  return {
    name: "http",
    async run(stop, ready) {
      const listening = await listen(server, { address, port: bound.port });
      bound.port = listening.port;
      onListening?.(listening.port);
      ready();
      await stopped(stop);
      await listening.close();
    },
  };
}

/** The same after each restart, so that a controller knows what it had begun itself. */
async function ownId(home: string): Promise<string> {
  const file = join(home, "id");
  const there = await readFile(file, "utf8").catch(() => "");
  if (/^[0-9a-f-]{36}$/.test(there)) return there;
  const id = randomUUID();
  await writeFile(file, id, { mode: 0o600 });
  return id;
}

/** Nothing of an earlier run is of use here. */
async function emptyDirectory(path: string): Promise<string> {
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true, mode: 0o700 });
  return path;
}
