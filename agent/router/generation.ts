import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { child } from "../run/child.ts";
import { Fault } from "../run/fault.ts";
import type { Log } from "../run/log.ts";
import { type Running, start } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import { appliedFrom } from "./applied.ts";
import { commandSocket } from "./commandSocket.ts";
import { type ConfigOptions, haproxyFiles } from "./config.ts";
import { haproxyLink, type Link } from "./link.ts";
import type { View } from "./view.ts";

/** One HAProxy process, from its files to its end. */
export interface Generation {
  readonly running: Running;
  readonly link: Link;
  readonly socket: string;
  readonly pid: number | undefined;
}

export interface LaunchOptions {
  haproxy: string;
  home: string;
  /** Number of this process in this directory; names its socket. */
  number: number;
  config: ConfigOptions;
  capacity: number;
  view: View;
  logFd: number;
  /** The process whose listening sockets it takes over; that one then finishes what it has begun. */
  old: { pid: number; socket: string } | undefined;
  onBroken: (error: unknown) => void;
  onOutgrown: () => void;
  log: Log;
}

/** Starts a HAProxy that comes up with everything the view holds now; what changes meanwhile is told as soon as it answers. */
export async function launch(options: LaunchOptions): Promise<Generation> {
  const { haproxy, home, number, config, capacity, view, logFd, old, onBroken, onOutgrown, log } = options;
  const socket = `haproxy-${number}.sock`;
  const applied = appliedFrom(view, capacity);
  const link = haproxyLink({ view, applied, onBroken, onOutgrown });
  const files = Object.entries(haproxyFiles(config, applied, socket));
  await Promise.all(files.map(([name, text]) => writeFile(join(home, name), text, { mode: 0o600 })));
  // What an earlier process left under this name must not be taken for the new one.
  await rm(join(home, socket), { force: true });
  let pid: number | undefined;
  const running = start(
    child("haproxy", {
      command: haproxy,
      args: ["-f", "haproxy.cfg", ...(old ? ["-x", old.socket, "-sf", `${old.pid}`] : [])],
      cwd: home,
      // The access log speaks UTC.
      env: { ...process.env, TZ: "UTC" },
      fds: [logFd],
      grace: 2000,
      onSpawn: (spawned) => {
        pid = spawned;
      },
      onOutput: (text) => log.debug({ text: text.trim() }, "HAProxy said something"),
      whenReady: async (stop) => link.attach(await answering(join(home, socket), stop)),
    }),
  );
  running.exited.finally(() => link.close()).catch(() => {});
  return {
    running,
    link,
    socket,
    get pid() {
      return pid;
    },
  };
}

async function answering(path: string, stop: AbortSignal) {
  while (!stop.aborted) {
    try {
      return await commandSocket(path);
    } catch {
      await sleep(5, stop);
    }
  }
  throw new Fault("HAProxy ended before it answered", { code: "haproxy_gone" });
}
