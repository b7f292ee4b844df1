import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { Dialed } from "../bus/nats.ts";
import type { PortRange } from "../bus/status.ts";
import { group } from "../run/group.ts";
import type { Log } from "../run/log.ts";
import type { Runner } from "../run/runner.ts";
import { alone } from "./alone.ts";
import type { Cluster } from "./cluster.ts";
import { bracketed } from "./clusterConfig.ts";
import { type Configured, configuration, writeConfiguration } from "./configuration.ts";
import { type JoinedCore, joinedCore } from "./joinedCore.ts";
import { coreCredentials } from "./keys.ts";
import { onBus } from "./onBus.ts";
import { endOrphan } from "./orphan.ts";
import { openPort } from "./port.ts";
import { relay } from "./relay.ts";
import { server } from "./server.ts";
import { type ServerLines, serverLines } from "./serverLines.ts";

export interface CoreOptions {
  log: Log;
  index: number;
  /** IP on which the server listens; 127.0.0.1 keeps it on this machine. */
  address: string;
  /** Milliseconds. */
  beat: number;
  /** Directory for keys, configuration and the store's files. */
  home: string;
  /** Path of the nats-server program. */
  program: string;
  /** 0: any free port, the same one for as long as this core runs. */
  port: number;
  /** Told of the server's address, `nats://ip:port` or `tls://ip:port`, before the core is ready. */
  onListening?: (url: string) => void;
  /** The one DEA of the cluster, when its id is known beforehand: it then hears only its own start messages. */
  deaId?: string;
  /** Port of the server's monitoring (`/connz?subs=1`), on the loopback. */
  monitor?: number;
  /** File for every protocol line with its client's number. It holds secrets. */
  trace?: string;
  /** Present in a cluster of several machines. */
  cluster?: Cluster;
  /** Where its status server may listen. */
  statusPorts?: PortRange;
}

/**
 * The ground that the cluster stands on: the bus and the store (nats-server with JetStream), and the recorder; in a
 * cluster of several machines also who lets nodes in. Ready when the store answers, for which most cores must be there.
 * Rejects with a Fault: `port_in_use` when another program holds the port, `no_identity` or `wrong_identity` when this
 * node was not made a core of this cluster.
 */
export function core(options: CoreOptions): Runner {
  const { log, index, beat, program, cluster, statusPorts, address } = options;
  return {
    name: "core",
    async run(stop, ready) {
      const configured = await prepared(options);
      const { files, credentials } = configured;
      const starts = { pid: 0, count: 0 };
      const lines = serverLines({ onLine: relay(log, { beat }), file: options.trace });
      const joined = await among(options, { configured, lines, pid: () => starts.pid });
      const url = `${cluster ? "tls" : "nats"}://${bracketed(address)}:${configured.port}`;
      options.onListening?.(url);
      const nats = server({
        ...{ program, config: files.config, url, ca: cluster?.ca, beat, credentials, log },
        onSpawn(pid) {
          Object.assign(starts, { pid, count: starts.count + 1 });
          joined?.reloads.spawned();
        },
        onUp: () => joined?.reloads.up(),
        onOutput: lines.feed,
      });
      const duties = (dialed: Dialed) => joined?.duties(dialed) ?? alone(dialed, options);
      const varz = () => ({ nats_pid: starts.pid, nats_restarts: Math.max(0, starts.count - 1) });
      const own = {
        url,
        ca: cluster?.ca,
        seed: credentials.seeds.core,
        index,
        address,
        log,
        tls: joined?.tls,
        statusPorts,
      };
      const members = [nats, ...(joined ? [joined.reloads.runner] : []), onBus({ ...own, duties, varz })];
      await group("core", members).run(stop, ready);
      log.debug({ index }, "the core has ended");
    },
  };
}

/** Makes place: nothing of an earlier run is in the way, keys and port are there. */
async function prepared(options: CoreOptions): Promise<Configured> {
  const { log, address, home, trace } = options;
  await mkdir(home, { recursive: true, mode: 0o700 });
  const at = (name: string) => join(home, name);
  const files = { config: at("nats.conf"), pid: at("nats.pid"), store: at("jetstream") };
  const orphan = await endOrphan(files.pid, files.config);
  if (orphan) log.warn({ pid: orphan }, "ended the nats-server of an agent that was killed");
  if (trace) await (await open(trace, "a", 0o600)).close();
  const credentials = await coreCredentials(home);
  const port = await openPort({ address, port: options.port, setting: "ports.nats" });
  return { ...options, port, files, credentials };
}

interface Own {
  configured: Configured;
  lines: ServerLines;
  pid: () => number;
}

/** What it is among several machines, if it is; the server's configuration is in place then. */
async function among({ cluster, ...rest }: CoreOptions, own: Own): Promise<JoinedCore | undefined> {
  const joined = cluster && (await joinedCore({ ...rest, ...own, cluster }));
  if (joined) await joined.reloads.begin();
  else await writeConfiguration(own.configured.files, configuration(own.configured));
  return joined;
}
