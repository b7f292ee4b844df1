import { mkdir } from "node:fs/promises";
import { type Dialed, dial } from "../bus/nats.ts";
import { componentId, presence } from "../bus/presence.ts";
import { group } from "../run/group.ts";
import type { Log } from "../run/log.ts";
import type { Runner } from "../run/runner.ts";
import { coreCredentials } from "./keys.ts";
import { endOrphan } from "./orphan.ts";
import { openPort } from "./port.ts";
import { recorder } from "./recorder.ts";
import { server, serverFiles, writeServerConfig } from "./server.ts";

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
  /** Told of the server's address, `nats://ip:port`, before the core is ready. */
  onListening?: (url: string) => void;
  /** The one DEA of the cluster, when its id is known beforehand: it then hears only its own start messages. */
  deaId?: string;
  /** Port of the server's monitoring (`/connz?subs=1`), on the loopback. */
  monitor?: number;
  /** File for every protocol line with its client's number. It holds secrets. */
  trace?: string;
}

/**
 * The ground that the cluster stands on: the bus and the store (nats-server with JetStream), and the recorder.
 * Rejects with a Fault `port_in_use` when another program holds the port.
 */
export function core(options: CoreOptions): Runner {
  const { log, index, address, home } = options;
  return {
    name: "core",
    async run(stop, ready) {
      await mkdir(home, { recursive: true, mode: 0o700 });
      const files = serverFiles(home);
      const orphan = await endOrphan(files.pid, files.config);
      if (orphan) log.warn({ pid: orphan }, "ended the nats-server of an agent that was killed");
      const credentials = await coreCredentials(home);
      const port = await openPort({ address, port: options.port, setting: "ports.nats" });
      const starts = { pid: 0, count: 0 };
      const onSpawn = (pid: number) => Object.assign(starts, { pid, count: starts.count + 1 });
      const whole = { ...options, port, credentials, onSpawn };
      await writeServerConfig(whole);
      const url = `nats://${address}:${port}`;
      options.onListening?.(url);
      const varz = () => ({ nats_pid: starts.pid, nats_restarts: Math.max(0, starts.count - 1) });
      const inner = member({ ...options, url, seed: credentials.seeds.core, varz });
      await group("core", [server(whole), inner]).run(stop, ready);
      log.debug({ index }, "the core has ended");
    },
  };
}

interface MemberOptions extends CoreOptions {
  url: string;
  seed: string;
  varz: () => Record<string, unknown>;
}

/** The core as a member of its own bus: its presence and the recorder. */
function member({ url, seed, varz, index, address, log }: MemberOptions): Runner {
  return {
    name: "core on the bus",
    async run(stop, ready) {
      const dialed = await joined(
        () => dial({ servers: url, name: `core-${index}`, user: "core", seed, log, stop }),
        stop,
      );
      if (!dialed) return;
      const { bus, close } = dialed;
      const self = { bus, type: "Core", index, uuid: componentId(index), address, log };
      const recording = recorder({ bus, log });
      const all = () => ({ ...varz(), recorded_messages: recording.size() });
      try {
        await group("core on the bus", [recording.runner, presence({ ...self, varz: all })]).run(stop, ready);
      } finally {
        await close();
      }
    },
  };
}

// Being stopped while still dialling is no failure.
async function joined(join: () => Promise<Dialed>, stop: AbortSignal): Promise<Dialed | undefined> {
  try {
    return await join();
  } catch (error) {
    if (stop.aborted) return undefined;
    throw error;
  }
}
